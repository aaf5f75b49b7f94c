import { Redis } from 'iovalkey';
import { LIMITS } from '@parley/protocol';
import { ValkeyPresence } from '../../lambdas/ports/presence/valkey.ts';
import { Unavailable } from '../../lambdas/ports/unavailable.ts';
import { conversationKey, userKey } from '../../lambdas/runtime/keys.ts';
import { startEngines, type Engines } from '../../local/engines/engines.ts';
import { unique, WallClock } from '../contracts/contract.ts';
import { describePresence } from '../contracts/presence.ts';
import { describeWith } from '../require.ts';
import { retry } from './support/retry.ts';

const START_MS = 120_000;

jest.setTimeout(30_000);

describeWith('engines', 'presence in Valkey', () => {
  let engines: Engines<'redis'>;
  /** The cache remembers for long: what it does not know, it never knew. */
  const age = async (): Promise<void> => {
    const redis = new Redis(engines.redis.port);
    await redis.set('p:since', 0);
    redis.disconnect();
  };
  beforeAll(async () => {
    engines = await startEngines({ only: ['redis'] });
    await age();
  }, START_MS);
  afterAll(() => engines.stop());

  describePresence(
    'ValkeyPresence',
    () => {
      const port = new ValkeyPresence(engines.redis);
      return Promise.resolve({ port, clock: new WallClock(), close: () => port.close() });
    },
    { exactTime: false },
  );

  describe('ValkeyPresence', () => {
    let presence: ValkeyPresence;
    let redis: Redis;
    beforeEach(() => {
      presence = new ValkeyPresence(engines.redis);
      redis = new Redis(engines.redis.port);
      redis.on('error', () => undefined);
    });
    afterEach(async () => {
      redis.disconnect();
      await presence.close();
    });

    it('keeps to the families of keys that the users of the cache may touch, each for a time', async () => {
      await redis.flushall();
      const user = userKey({ workspaceId: 'w' }, 'ana');
      const watcher = { user, connectionId: unique('c') };
      await presence.beat(watcher, false, 45_000);
      await presence.watch(watcher, [user], 45_000);
      await presence.take(`${user}:heartbeat`, { burst: 5, perSecond: 1 });
      await presence.setHead(conversationKey({ workspaceId: 'w' }, 'c'), 1);
      const keys = (await redis.keys('*')).sort();
      expect(keys).toEqual(['h:w/c', 'p:{w/ana}', 'r:w/ana:heartbeat', `w:c:${watcher.connectionId}`, 'w:{w/ana}']);
      for (const key of keys) expect(await redis.pttl(key)).toBeGreaterThan(0);
    });

    it('says nothing of users it does not know after it was emptied, until all who are there must have been heard of', async () => {
      await redis.flushall();
      let now = 1_000_000;
      const { host, port } = engines.redis;
      const clocked = new ValkeyPresence({ host, port, now: () => now });
      const [ana, ben] = [userKey({ workspaceId: 'w' }, 'ana'), userKey({ workspaceId: 'w' }, 'ben')];
      await clocked.beat({ user: ana, connectionId: unique('c') }, false, LIMITS.presenceTtlMs * 2);
      const states = async () => (await clocked.states([ana, ben])).map(({ state }) => state);
      expect(await states()).toEqual(['online', 'unknown']);
      now += LIMITS.presenceTtlMs - 1;
      expect(await states()).toEqual(['online', 'unknown']);
      now += 1;
      expect(await states()).toEqual(['online', 'offline']);
      await clocked.close();
      await age();
    });

    it('renews its password while it is connected, for the connections that stand and for new ones', async () => {
      const passwordIs = (password: string) =>
        redis.acl('SETUSER', 'parley', 'reset', 'on', `>${password}`, '~*', '+@all');
      const logins = async () => Number(/cmdstat_auth:calls=(\d+)/.exec(await redis.info('commandstats'))?.[1] ?? 0);
      let password = 'first';
      let offsetMs = 0;
      let asked = 0;
      const token = () => {
        asked++;
        return Promise.resolve(password);
      };
      const now = () => Date.now() + offsetMs;
      const { host, port } = engines.redis;
      const own = new ValkeyPresence({ host, port, auth: { user: 'parley', token }, now });
      try {
        await passwordIs(password);
        await own.mark(unique(), 1_000);
        await own.mark(unique(), 1_000);
        expect(asked).toBe(1);

        password = 'second';
        await passwordIs(password);
        offsetMs = 10 * 60_000;
        const before = await logins();
        await own.mark(unique(), 1_000);
        expect([asked, await logins()]).toEqual([2, before + 1]);

        await redis.client('KILL', 'USER', 'parley');
        const key = unique();
        await retry(() => own.mark(key, 60_000));
        expect(await own.isMarked(key)).toBe(true);
      } finally {
        await own.close();
      }
    });

    it('says within a second that it is not available when the server is killed, and works again when it is back', async () => {
      const key = unique();
      await presence.mark(key, 60_000);
      await engines.redis.kill();
      for (let i = 0; i < 3; i++) {
        const startedAtMs = Date.now();
        await expect(presence.isMarked(key)).rejects.toThrow(Unavailable);
        expect(Date.now() - startedAtMs).toBeLessThan(1_000);
      }
      await engines.redis.start();
      expect(await retry(() => presence.isMarked(key))).toBe(false);
    });

    it('is not available, soon and again and again, where nobody answers', async () => {
      const nowhere = new ValkeyPresence({ host: '127.0.0.1', port: 1 });
      for (let i = 0; i < 3; i++) await expect(nowhere.mark('k', 1)).rejects.toThrow(Unavailable);
      await nowhere.close();
    });
  });
});
