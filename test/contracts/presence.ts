import type { Presence, Watcher } from '../../lambdas/ports/presence/port.ts';
import { conversationKey, userKey, type UserKey } from '../../lambdas/runtime/keys.ts';
import { opened, times, TTL_MS, unique, type ContractOptions, type Opened } from './contract.ts';

/** One suite for every `Presence`. */
export function describePresence(
  name: string,
  open: () => Promise<Opened<Presence>>,
  { exactTime }: ContractOptions,
): void {
  describe(`${name} keeps the Presence contract`, () => {
    const at = opened(open);
    let ana: UserKey;
    let ben: UserKey;

    beforeEach(() => {
      const workspaceId = unique('w');
      ana = userKey({ workspaceId }, 'ana');
      ben = userKey({ workspaceId }, 'ben');
    });

    const on = (user: UserKey): Watcher => ({ user, connectionId: unique('c') });
    const beat = (watcher: Watcher, invisible = false) => at.port.beat(watcher, invisible, TTL_MS);
    const stateOf = async (user: UserKey) => (await at.port.states([user]))[0]?.state;

    describe('presence', () => {
      it('begins with a beat, which says so, and ends by itself after its time', async () => {
        const phone = on(ana);
        expect(await stateOf(ana)).toBe('offline');
        expect(await beat(phone)).toEqual({ appeared: true });
        expect(await stateOf(ana)).toBe('online');
        expect(await beat(phone)).toEqual({ appeared: false });
        await at.clock.pass(TTL_MS);
        expect(await stateOf(ana)).toBe('offline');
        expect(await beat(phone)).toEqual({ appeared: true });
      });

      it('is prolonged by every beat', async () => {
        const phone = on(ana);
        await beat(phone);
        await at.clock.pass(TTL_MS * 0.6);
        await beat(phone);
        await at.clock.pass(TTL_MS * 0.6);
        expect(await stateOf(ana)).toBe('online');
      });

      it('ends with the end of the last connection, which says so once', async () => {
        const [phone, tablet] = [on(ana), on(ana)];
        for (const watcher of [phone, tablet]) await beat(watcher);
        expect(await at.port.end(phone)).toEqual({ disappeared: false });
        expect(await stateOf(ana)).toBe('online');
        expect(await at.port.end(tablet)).toEqual({ disappeared: true });
        expect(await stateOf(ana)).toBe('offline');
        expect(await at.port.end(tablet)).toEqual({ disappeared: false });
      });

      it('of a connection that was lost silently does not keep the others from ending it', async () => {
        const [phone, tablet] = [on(ana), on(ana)];
        await beat(phone);
        await at.clock.pass(TTL_MS * 0.6);
        await beat(tablet);
        await at.clock.pass(TTL_MS * 0.6);
        expect(await at.port.end(tablet)).toEqual({ disappeared: true });
      });

      it('of an invisible user is offline to others, and neither appears nor disappears', async () => {
        const phone = on(ana);
        expect(await beat(phone, true)).toEqual({ appeared: false });
        expect(await stateOf(ana)).toBe('offline');
        expect(await at.port.end(phone)).toEqual({ disappeared: false });
        await beat(phone, true);
        expect(await beat(phone)).toEqual({ appeared: true });
        await beat(phone, true);
        expect(await stateOf(ana)).toBe('offline');
      });

      it('remembers when a user was last seen, but not while invisible', async () => {
        const phone = on(ana);
        expect(await at.port.states([ana])).toEqual([{ state: 'offline' }]);
        await beat(phone, true);
        expect(await at.port.states([ana])).toEqual([{ state: 'offline' }]);
        const earliest = at.clock.now();
        await beat(phone);
        const latest = at.clock.now();
        await at.port.end(phone);
        const [state] = await at.port.states([ana]);
        expect(state?.state).toBe('offline');
        expect(state?.lastSeenAtMs).toBeGreaterThanOrEqual(earliest);
        expect(state?.lastSeenAtMs).toBeLessThanOrEqual(latest);
      });

      it('is told in the order asked for, of each as often as asked', async () => {
        await beat(on(ben));
        const states = await at.port.states([ana, ben, ana, ben]);
        expect(states.map(({ state }) => state)).toEqual(['offline', 'online', 'offline', 'online']);
        expect(await at.port.states([])).toEqual([]);
      });

      it('of the same user in another workspace is another one', async () => {
        await beat(on(ana));
        expect(await stateOf(userKey({ workspaceId: unique('w') }, 'ana'))).toBe('offline');
      });
    });

    describe('watching', () => {
      const watchersOf = async (user: UserKey) =>
        (await at.port.watchersOf(user)).map(({ connectionId }) => connectionId).sort();

      it('connects a connection with the users that it wants to see', async () => {
        const [phone, tablet] = [on(ana), on(ben)];
        await at.port.watch(phone, [ben, ana], TTL_MS);
        await at.port.watch(tablet, [ana], TTL_MS);
        expect(await at.port.watchersOf(ben)).toEqual([phone]);
        expect(await watchersOf(ana)).toEqual([phone.connectionId, tablet.connectionId].sort());
        expect([...(await at.port.watchedBy(phone, TTL_MS))].sort()).toEqual([ana, ben].sort());
      });

      it('is replaced as a whole, also by nobody', async () => {
        const phone = on(ana);
        const [x, y, z] = times(3, (i) => userKey({ workspaceId: 'w' }, unique(`u${i}`))) as [
          UserKey,
          UserKey,
          UserKey,
        ];
        await at.port.watch(phone, [x, y], TTL_MS);
        await at.port.watch(phone, [y, z], TTL_MS);
        expect([await watchersOf(x), await watchersOf(y), await watchersOf(z)]).toEqual([
          [],
          [phone.connectionId],
          [phone.connectionId],
        ]);
        await at.port.watch(phone, [], TTL_MS);
        expect([await watchersOf(y), await at.port.watchedBy(phone, TTL_MS)]).toEqual([[], []]);
      });

      it('ends after its time, for both sides', async () => {
        const phone = on(ana);
        await at.port.watch(phone, [ben], TTL_MS);
        await at.clock.pass(TTL_MS);
        expect([await at.port.watchersOf(ben), await at.port.watchedBy(phone, TTL_MS)]).toEqual([[], []]);
        expect(await at.port.watchersOf(ben)).toEqual([]);
      });

      it('is prolonged by asking whom it watches', async () => {
        const phone = on(ana);
        await at.port.watch(phone, [ben], TTL_MS);
        for (let i = 0; i < 2; i++) {
          await at.clock.pass(TTL_MS * 0.6);
          expect(await at.port.watchedBy(phone, TTL_MS)).toEqual([ben]);
        }
        expect(await watchersOf(ben)).toEqual([phone.connectionId]);
      });

      it('ends with the session of the connection, and leaves those of others', async () => {
        const [phone, tablet] = [on(ana), on(ana)];
        for (const watcher of [phone, tablet]) await at.port.watch(watcher, [ben], TTL_MS);
        await at.port.end(phone);
        expect(await watchersOf(ben)).toEqual([tablet.connectionId]);
      });

      it('takes as many users as a connection may watch', async () => {
        const phone = on(ana);
        const users = times(200, (i) => userKey({ workspaceId: 'w' }, unique(`u${i}`)));
        await at.port.watch(phone, users, TTL_MS);
        expect([...(await at.port.watchedBy(phone, TTL_MS))].sort()).toEqual([...users].sort());
        expect(await watchersOf(users[199]!)).toEqual([phone.connectionId]);
      });
    });

    describe('a mark', () => {
      it('is set once, and ends after its time', async () => {
        const key = unique();
        expect([await at.port.isMarked(key), await at.port.mark(key, TTL_MS), await at.port.isMarked(key)]).toEqual([
          false,
          true,
          true,
        ]);
        expect(await at.port.mark(key, TTL_MS)).toBe(false);
        await at.clock.pass(TTL_MS);
        expect(await at.port.isMarked(key)).toBe(false);
        expect(await at.port.mark(key, TTL_MS)).toBe(true);
      });

      it('is not prolonged by marking again', async () => {
        const key = unique();
        await at.port.mark(key, TTL_MS);
        await at.clock.pass(TTL_MS * 0.6);
        expect(await at.port.mark(key, TTL_MS)).toBe(false);
        await at.clock.pass(TTL_MS * 0.6);
        expect(await at.port.isMarked(key)).toBe(false);
      });

      it('is set by just one of many at the same moment', async () => {
        const key = unique();
        const outcomes = await Promise.all(times(50, () => at.port.mark(key, TTL_MS)));
        expect(outcomes.filter(Boolean)).toHaveLength(1);
      });

      it('is taken away once, which says whether there was one', async () => {
        const key = unique();
        await at.port.mark(key, TTL_MS);
        expect([await at.port.unmark(key), await at.port.unmark(key), await at.port.isMarked(key)]).toEqual([
          true,
          false,
          false,
        ]);
        await at.port.mark(key, TTL_MS);
        await at.clock.pass(TTL_MS);
        expect(await at.port.unmark(key)).toBe(false);
      });
    });

    describe('a token bucket', () => {
      const SLOW = { burst: 5, perSecond: 0.001 };

      it('gives its burst at once, even to many at the same moment, and then says how long to wait', async () => {
        const bucket = unique();
        const takes = await Promise.all(times(20, () => at.port.take(bucket, SLOW)));
        expect(takes.filter(({ allowed }) => allowed)).toEqual(times(5, () => ({ allowed: true, retryAfterMs: 0 })));
        for (const { allowed, retryAfterMs } of takes) {
          if (allowed) continue;
          expect(retryAfterMs).toBeGreaterThan(900_000);
          expect(retryAfterMs).toBeLessThanOrEqual(1_000_000);
        }
      });

      it('is full again in time, and never more than full', async () => {
        const bucket = unique();
        const rate = { burst: 3, perSecond: 2 };
        for (let i = 0; i < 3; i++) expect(await at.port.take(bucket, rate)).toMatchObject({ allowed: true });
        await at.clock.pass(2_000);
        const takes = await Promise.all(times(10, () => at.port.take(bucket, rate)));
        expect(takes.filter(({ allowed }) => allowed)).toHaveLength(3);
      });

      it('is none of another name', async () => {
        const [one, other] = [unique(), unique()];
        for (let i = 0; i < 6; i++) await at.port.take(one, SLOW);
        expect(await at.port.take(other, SLOW)).toMatchObject({ allowed: true });
      });

      if (exactTime) {
        it('has a token again exactly when it says so', async () => {
          const bucket = unique();
          const rate = { burst: 2, perSecond: 4 };
          const take = () => at.port.take(bucket, rate);
          await take();
          await take();
          expect(await take()).toEqual({ allowed: false, retryAfterMs: 250 });
          await at.clock.pass(100);
          expect(await take()).toEqual({ allowed: false, retryAfterMs: 150 });
          await at.clock.pass(149);
          expect(await take()).toEqual({ allowed: false, retryAfterMs: 1 });
          await at.clock.pass(1);
          expect(await take()).toEqual({ allowed: true, retryAfterMs: 0 });
          expect(await take()).toEqual({ allowed: false, retryAfterMs: 250 });
        });
      }
    });

    describe('a cached head', () => {
      it('keeps the highest seq it was told of, in whatever order, and in parallel', async () => {
        const key = conversationKey({ workspaceId: unique('w') }, 'c');
        await Promise.all([3, 41, 7, 40, 12].map((seq) => at.port.setHead(key, seq)));
        await at.port.setHead(key, 39);
        expect(await at.port.heads([key])).toEqual([41]);
      });

      it('does not count while somebody may be taking a number', async () => {
        const key = conversationKey({ workspaceId: unique('w') }, 'c');
        await at.port.setHead(key, 3);
        await at.port.expectHead(key, 300);
        expect(await at.port.heads([key])).toEqual([undefined]);
        await at.port.setHead(key, 4);
        expect(await at.port.heads([key])).toEqual([undefined]);
        await at.clock.pass(301);
        expect(await at.port.heads([key])).toEqual([4]);
      });

      it('is told in the order asked for, and undefined where there is none', async () => {
        const keys = times(3, () => conversationKey({ workspaceId: unique('w') }, 'c'));
        await at.port.setHead(keys[2]!, 5);
        await at.port.setHead(keys[0]!, Number.MAX_SAFE_INTEGER);
        expect(await at.port.heads(keys)).toEqual([Number.MAX_SAFE_INTEGER, undefined, 5]);
        expect(await at.port.heads([])).toEqual([]);
      });
    });
  });
}
