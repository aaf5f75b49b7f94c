import { randomBytes } from 'node:crypto';
import { LIMITS } from '@parley/protocol';
import { userKey } from '../../../lambdas/runtime/keys.ts';
import type { UserState } from '../../../lambdas/ports/directory/port.ts';
import { expectCleanLog, type Case, type Table } from '../support/refusals.ts';
import { expectUpgradeRefused, offering, tokenOf, upgradeStatus, type Upgrade } from '../support/upgrade.ts';
import { until } from '../support/until.ts';
import { Wire } from '../support/wire.ts';

const withOrigins =
  (status: number, originsOf: (url: string) => readonly string[]): Case =>
  async (given) => {
    const { world } = given;
    const headers = originsOf(world.app.url).map((origin) => `Origin: ${origin}`);
    const upgrade = { protocols: offering(await tokenOf(world)), headers };
    if (status === 101) expect(await upgradeStatus(world, upgrade)).toBe(101);
    else await expectUpgradeRefused(given, status, upgrade);
  };

const withoutFunctions =
  (status: number, upgradeOf: (token: string) => Upgrade): Case =>
  async (given) => {
    const { world } = given;
    const upgrade = upgradeOf(await tokenOf(world));
    const before = world.runs('authorizer', 'connect');
    expect(await upgradeStatus(world, upgrade)).toBe(status);
    expect(world.runs('authorizer', 'connect')).toBe(before);
    await expectUpgradeRefused(given, status, upgrade);
  };

const asUserWho =
  (state: UserState): Case =>
  async (given) => {
    const { world } = given;
    const user = world.newUser();
    const protocols = offering(await tokenOf(world, user));
    expect(await upgradeStatus(world, { protocols })).toBe(101);
    await world.app.services.directory.setUserState(userKey(user, user.userId), state);
    await expectUpgradeRefused(given, 403, { protocols });
  };

const refused =
  (status: number, upgrade: Upgrade): Case =>
  (given) =>
    expectUpgradeRefused(given, status, upgrade);

export const HANDSHAKE: Table = {
  'handshake-no-token': {
    'without any sub-protocol, before the authorizer is asked': async (given) => {
      const before = given.world.runs('authorizer', 'connect');
      expect(await upgradeStatus(given.world, {})).toBe(401);
      expect(given.world.runs('authorizer', 'connect')).toBe(before);
      await expectUpgradeRefused(given, 401, {});
    },
    'with parley.v1 alone': refused(401, { protocols: 'parley.v1' }),
  },
  'handshake-garbage-token': {
    'with a word': refused(401, { protocols: offering('not-a-token') }),
    'with a random text that looks like a token': async (given) => {
      const token = await tokenOf(given.world);
      const garbage = token.replace(/[^.]+/g, (segment) => randomBytes(segment.length).toString('base64url'));
      await expectUpgradeRefused(given, 401, { protocols: offering(garbage) });
    },
    'with an empty one': refused(401, { protocols: offering('') }),
  },
  'handshake-bad-origin': {
    'null is refused': withOrigins(403, () => ['null']),
    'an allowed one with more behind it is refused': withOrigins(403, (url) => [`${url}.evil.example`]),
    'another scheme is refused': withOrigins(403, (url) => [url.replace('http:', 'https:')]),
    'another port is refused': withOrigins(403, (url) => [url.replace(/\d+$/, '1')]),
    'another site is refused': withOrigins(403, () => ['https://evil.example']),
    'a good and a bad one are refused': withOrigins(403, (url) => [url, 'https://evil.example']),
    'two good ones are refused': withOrigins(403, (url) => [url, url]),
    'capitals are refused': withOrigins(403, (url) => [url.toUpperCase()]),
    'the allowed one is accepted': withOrigins(101, (url) => [url]),
    'none is accepted': withOrigins(101, () => []),
  },
  'handshake-two-credentials': {
    'of two good tokens neither counts': async (given) => {
      const protocols = offering(await tokenOf(given.world), await tokenOf(given.world));
      await expectUpgradeRefused(given, 401, { protocols });
    },
    'a good token in the URL is none': async (given) => {
      const token = await tokenOf(given.world);
      const path = `/local?token=${token}&access_token=${token}`;
      await expectUpgradeRefused(given, 401, { protocols: 'parley.v1', path });
      await expectUpgradeRefused(given, 401, { protocols: offering('not-a-token'), path });
      expectCleanLog([token]);
    },
    'beside a token in the URL, the one in the header decides': async ({ world }) => {
      const [user, stranger] = [world.newUser(), world.newUser()];
      const [token, other] = [await tokenOf(world, user), await tokenOf(world, stranger)];
      const wire = await Wire.open(`${world.app.socketUrl}?token=${other}`, ['parley.v1', `bearer.${token}`], user);
      expect(await wire.call('session.start', {})).toMatchObject(user);
      expectCleanLog([token, other]);
    },
  },
  'handshake-oversized-token': {
    'a token of 64 KB reaches no function': async (given) => {
      const { world } = given;
      const before = world.runs('authorizer', 'connect');
      const status = await upgradeStatus(world, { protocols: offering('x'.repeat(64 * 1024)) });
      // The server may cut the connection while the rest of the header is still on its way.
      expect([431, 0]).toContain(status);
      expect(world.runs('authorizer', 'connect')).toBe(before);
      await (await world.connect()).call('heartbeat', {});
    },
    'a token above what the gateway takes reaches no function': withoutFunctions(431, () => ({
      protocols: offering('x'.repeat(11 * 1024)),
    })),
    'a URL of more than 4,096 characters reaches no function': withoutFunctions(414, (token) => ({
      protocols: offering(token),
      path: `/local?pad=${'x'.repeat(4_096)}`,
    })),
  },
  'handshake-suspended-user': {
    'who is suspended': asUserWho('suspended'),
    'who is deleted': asUserWho('deleted'),
  },
  'handshake-connection-limit': {
    'closes the oldest, and no other': async ({ world }) => {
      const user = world.newUser();
      const wires: Wire[] = [];
      for (let i = 0; i < LIMITS.connectionsPerUserMax; i++) wires.push(await world.connect(user));
      const [oldestId] = await world.connectionIds(user);
      const [oldest, ...kept] = wires;
      const newest = await world.connect(user);
      await until(() => oldest?.isOpen === false, 'the oldest socket is closed');
      for (const wire of [...kept, newest]) await wire.call('heartbeat', {});
      expect(kept).toHaveLength(LIMITS.connectionsPerUserMax - 1);
      const ids = await world.connectionIds(user);
      expect(ids).toHaveLength(LIMITS.connectionsPerUserMax);
      expect(ids).not.toContain(oldestId);
    },
  },
  'handshake-not-websocket': {
    'an old version': async (given) => {
      const protocols = offering(await tokenOf(given.world));
      await expectUpgradeRefused(given, 400, { protocols, version: '8' });
    },
    'a plain GET': async (given) => {
      const protocols = offering(await tokenOf(given.world));
      await expectUpgradeRefused(given, 426, { protocols, plain: true });
    },
  },
};
