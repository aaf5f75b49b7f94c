import { createHmac, createSign, generateKeyPairSync, randomUUID } from 'node:crypto';
import type { LocalApp } from '../../../local/embedded/app.ts';
import type { User } from './user.ts';

export type Claims = Readonly<Record<string, unknown>>;

type KeyPair = ReturnType<typeof newKeyPair>;

function newKeyPair() {
  return generateKeyPairSync('rsa', { modulusLength: 2048 });
}

/** Made once, since that takes longer than most tests. */
let servedKeys: KeyPair | undefined;

/** Makes tokens that the local issuer never would, with a key of its own. */
export class Forge {
  readonly keyId = randomUUID();

  constructor(
    private readonly app: LocalApp,
    private readonly keys: KeyPair = newKeyPair(),
  ) {}

  /** One whose key the issuer serves beside its own. To be made before the first token is verified, since keys are kept. */
  static async servedBy(app: LocalApp): Promise<Forge> {
    const forge = new Forge(app, (servedKeys ??= newKeyPair()));
    ((await app.issuer.keySet()).keys as object[]).push(forge.jwk);
    return forge;
  }

  get jwk(): object {
    const { n, e } = this.keys.publicKey.export({ format: 'jwk' });
    return { kty: 'RSA', n, e, kid: this.keyId, alg: 'RS256', use: 'sig' };
  }

  /** What the issuer would say of the user now. */
  claims({ userId, workspaceId }: User): Claims {
    const iat = Math.floor(Date.now() / 1_000);
    const { issuer: iss, audience: aud } = this.app.issuer;
    return { workspaceId, iss, aud, sub: userId, iat, exp: iat + 3_600 };
  }

  /** A token with these claims (or this very text of a payload), signed with RS256. */
  sign(payload: Claims | string, header: Claims = {}): string {
    const signed = this.signingInput(payload, { alg: 'RS256', kid: this.keyId, ...header });
    return `${signed}.${createSign('RSA-SHA256').update(signed).sign(this.keys.privateKey, 'base64url')}`;
  }

  /** The same with HS256 and the public key as the secret. */
  signWithPublicKey(payload: Claims): string {
    const signed = this.signingInput(payload, { alg: 'HS256', kid: this.keyId });
    const secret = this.keys.publicKey.export({ type: 'spki', format: 'pem' });
    return `${signed}.${createHmac('sha256', secret).update(signed).digest('base64url')}`;
  }

  private signingInput(payload: Claims | string, header: Claims): string {
    const text = typeof payload === 'string' ? payload : JSON.stringify(payload);
    return [JSON.stringify(header), text].map((part) => Buffer.from(part).toString('base64url')).join('.');
  }
}
