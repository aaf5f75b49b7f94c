import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Forge, type Claims } from '../support/forge.ts';
import type { Case, Given, Table } from '../support/refusals.ts';
import { World } from '../support/world.ts';
import { expectUpgradeRefused, offering, upgradeStatus } from '../support/upgrade.ts';

/** A token is refused that differs in one point from one that is accepted. */
const tampered =
  (status: number, make: (forge: Forge, claims: Claims) => string): Case =>
  (given) =>
    expectTampered(given, status, make);

async function expectTampered(
  given: Given,
  status: number,
  make: (forge: Forge, claims: Claims) => string,
): Promise<void> {
  const { world } = given;
  const { forge } = world;
  const claims = forge.claims(world.newUser());
  expect(await upgradeStatus(world, { protocols: offering(forge.sign(claims)) })).toBe(101);
  await expectUpgradeRefused(given, status, { protocols: offering(make(forge, claims)) });
}

const nowS = (): number => Math.floor(Date.now() / 1_000);

/**
 * A token signed by an attacker, whose header points to the attacker's key: nobody may go and fetch it. In a world of its own, since
 * after one unknown key nothing is fetched for a while.
 */
const pointing =
  (headerOf: (url: string, attacker: Forge, keyId: string) => Claims): Case =>
  async ({ row }) => {
    const world = await World.start();
    const attacker = new Forge(world.app);
    const asked: string[] = [];
    const server = createServer((request, response) => {
      asked.push(request.url ?? '');
      response.end(JSON.stringify({ keys: [attacker.jwk] }));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/keys.json`;
    try {
      const header = headerOf(url, attacker, world.forge.keyId);
      await expectTampered({ world, row }, 401, (_, claims) => attacker.sign(claims, header));
      expect(asked).toEqual([]);
    } finally {
      await world.close();
      await new Promise((resolve) => server.close(resolve));
    }
  };

export const TOKENS: Table = {
  'token-hs-rs-confusion': {
    'signed with the public key as a secret': tampered(401, (forge, claims) => forge.signWithPublicKey(claims)),
    'not signed at all': tampered(401, (forge, claims) => forge.sign(claims, { alg: 'none' }).replace(/[^.]+$/, '')),
  },
  'token-wrong-aud': {
    'for another application': tampered(401, (forge, claims) => forge.sign({ ...claims, aud: 'other' })),
    'of another issuer': tampered(401, (forge, claims) => forge.sign({ ...claims, iss: 'https://evil.example' })),
    'for nobody': tampered(401, (forge, { aud: _, ...claims }) => forge.sign(claims)),
  },
  'token-time-claims': {
    expired: tampered(401, (forge, claims) => forge.sign({ ...claims, exp: nowS() - 1 })),
    'not yet valid': tampered(401, (forge, claims) => forge.sign({ ...claims, nbf: nowS() + 600 })),
    'issued in the future': tampered(401, (forge, claims) => forge.sign({ ...claims, iat: nowS() + 600 })),
    'without an end': tampered(401, (forge, { exp: _, ...claims }) => forge.sign(claims)),
  },
  'token-key-header-attacks': {
    'an unknown kid': pointing(() => ({})),
    'a kid that is a path': pointing(() => ({ kid: '../../etc/passwd' })),
    'a kid that is SQL': pointing(() => ({ kid: "' OR '1'='1" })),
    'a kid that is a URL': pointing((url) => ({ kid: url })),
    'a jku': pointing((jku) => ({ jku })),
    'a jku beside a known kid': pointing((jku, _, kid) => ({ jku, kid })),
    'an x5u': pointing((x5u) => ({ x5u })),
    'an x5u beside a known kid': pointing((x5u, _, kid) => ({ x5u, kid })),
    'a jwk': pointing((_, { jwk }) => ({ jwk })),
    'a jwk beside a known kid': pointing((_, { jwk }, kid) => ({ jwk, kid })),
  },
  'token-workspace-claim': {
    missing: tampered(403, (forge, { workspaceId: _, ...claims }) => forge.sign(claims)),
    'two of them': tampered(403, (forge, claims) => forge.sign({ ...claims, workspaceId: ['acme', 'other'] })),
    'one that is no name': tampered(403, (forge, claims) => forge.sign({ ...claims, workspaceId: 'acme/other' })),
  },
  'token-malformed': {
    'a claim twice': tampered(401, (forge, claims) =>
      forge.sign(JSON.stringify(claims).replace('{', '{"sub":"ben","workspaceId":"other",')),
    ),
    'five segments': tampered(401, (forge, claims) => `${forge.sign(claims)}.e30.e30`),
    'padded base64': tampered(401, (forge, claims) => `${forge.sign(claims)}==`),
    'a look-alike of the dot': tampered(401, (forge, claims) => forge.sign(claims).replace('.', '\u2024')),
    'a full-width dot': tampered(401, (forge, claims) => forge.sign(claims).replace('.', '\uff0e')),
  },
};
