import { createHash, randomBytes } from 'node:crypto';

export interface FunctionKey {
  readonly functionName: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken: string;
}

/** A key for each function, so that whoever is called can tell who calls. */
export class Keyring {
  private readonly byFunction = new Map<string, FunctionKey>();
  private readonly byId = new Map<string, FunctionKey>();

  constructor(functionNames: Iterable<string>) {
    for (const functionName of functionNames) {
      const hash = createHash('sha256').update(functionName).digest('hex').toUpperCase();
      const key = {
        functionName,
        // Of the form that AWS gives to keys of roles.
        accessKeyId: `ASIA${hash.slice(0, 16)}`,
        secretAccessKey: randomBytes(30).toString('base64'),
        sessionToken: randomBytes(48).toString('base64'),
      };
      this.byFunction.set(functionName, key);
      this.byId.set(key.accessKeyId, key);
    }
  }

  of(functionName: string): FunctionKey {
    const key = this.byFunction.get(functionName);
    if (!key) throw new Error(`there is no function ${functionName}`);
    return key;
  }

  find(accessKeyId: string): FunctionKey | undefined {
    return this.byId.get(accessKeyId);
  }

  /** As Lambda hands them to the function. */
  variablesOf(functionName: string): Record<string, string> {
    const { accessKeyId, secretAccessKey, sessionToken } = this.of(functionName);
    return {
      AWS_ACCESS_KEY_ID: accessKeyId,
      AWS_SECRET_ACCESS_KEY: secretAccessKey,
      AWS_SESSION_TOKEN: sessionToken,
    };
  }
}
