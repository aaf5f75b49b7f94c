import { randomUUID } from 'node:crypto';
import { exportJWK, generateKeyPair, SignJWT, type CryptoKey } from 'jose';
import type { Identity, KeySet } from '../../lambdas/ports/identity/port.ts';

export interface TokenSubject {
  readonly userId: string;
  readonly workspaceId: string;
  readonly name?: string;
}

const TOKEN_LIFE_S = 60 * 60;

/** An OIDC issuer for this machine: tokens of the same shape, signed by a key that lives as long as the process. */
export class LocalIssuer implements Identity {
  readonly audience = 'parley';

  private constructor(
    readonly issuer: string,
    private readonly keyId: string,
    private readonly privateKey: CryptoKey,
    private readonly keys: KeySet,
  ) {}

  static async create(issuer: string): Promise<LocalIssuer> {
    const { publicKey, privateKey } = await generateKeyPair('RS256');
    const kid = randomUUID();
    const jwk = await exportJWK(publicKey);
    return new LocalIssuer(issuer, kid, privateKey, {
      keys: [{ ...jwk, kty: 'RSA', kid, alg: 'RS256', use: 'sig' }],
    });
  }

  keySet(): Promise<KeySet> {
    return Promise.resolve(this.keys);
  }

  /** A token for an hour. */
  issue({ userId, workspaceId, name }: TokenSubject): Promise<string> {
    return new SignJWT({ workspaceId, ...(name !== undefined && { name }) })
      .setProtectedHeader({ alg: 'RS256', kid: this.keyId })
      .setIssuer(this.issuer)
      .setAudience(this.audience)
      .setSubject(userId)
      .setIssuedAt()
      .setExpirationTime(`${TOKEN_LIFE_S}s`)
      .sign(this.privateKey);
  }
}
