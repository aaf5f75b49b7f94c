import { createLocalJWKSet, decodeProtectedHeader, jwtVerify } from 'jose';
import type { Identity } from '../../lambdas/ports/identity/port.ts';

export interface OpenedIdentity {
  readonly port: Identity;
  /** A token that the issuer gives to a user. */
  issue(userId: string, workspaceId: string): Promise<string>;
  close(): Promise<void>;
}

/** One suite for every `Identity`. */
export function describeIdentity(name: string, open: () => Promise<OpenedIdentity>): void {
  describe(`${name} keeps the Identity contract`, () => {
    let at: OpenedIdentity;

    beforeAll(async () => {
      at = await open();
    });
    afterAll(() => at.close());

    it('serves the public keys alone, by which its tokens can be verified', async () => {
      const { keys } = await at.port.keySet();
      for (const key of keys) {
        expect(key.kid).not.toBe('');
        for (const secret of ['d', 'p', 'q', 'dp', 'dq', 'qi', 'k']) expect(key).not.toHaveProperty(secret);
      }
      const token = await at.issue('ana', 'w1');
      expect(keys.map(({ kid }) => kid)).toContain(decodeProtectedHeader(token).kid);
      const { issuer, audience } = at.port;
      const { payload } = await jwtVerify(token, createLocalJWKSet({ keys: [...keys] }), { issuer, audience });
      expect(payload).toMatchObject({ iss: issuer, aud: audience, sub: 'ana', workspaceId: 'w1' });
      expect(payload.exp).toBeGreaterThan(payload.iat!);
    });

    it('keeps its keys: a token stays good as long as it says', async () => {
      expect(await at.port.keySet()).toEqual(await at.port.keySet());
    });
  });
}
