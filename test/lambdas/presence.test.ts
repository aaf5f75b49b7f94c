import { LIMITS, type EventBody } from '@parley/protocol';
import { Unavailable } from '../../lambdas/ports/unavailable.ts';
import { intercept, replace } from './support/intercept.ts';
import { Stage, type Socket } from './support/stage.ts';

let stage: Stage;
let ana: Socket;
let ben: Socket;
let group: string;

beforeEach(async () => {
  stage = new Stage();
  ana = await stage.connect('ana');
  ben = await stage.connect('ben');
  group = await stage.group(ana, ben);
  await stage.settled();
  stage.gateway.posts.length = 0;
});

const seenBy = (socket: Socket): EventBody<'presence'>[] =>
  socket.events.flatMap(({ type, body }) => (type === 'presence' ? [body] : []));
const stateOfBen = async (): Promise<string | undefined> =>
  (await ana.ok('presence.watch', { userIds: ['ben'] })).presence[0]?.state;

describe('heartbeat', () => {
  it('names the conversations that moved on, and only those', async () => {
    const still = await stage.group(ana, ben);
    await ana.send(still);
    await ana.send(group);
    await ana.send(group);
    expect((await ben.ok('heartbeat', { heads: { [group]: 1, [still]: 1 } })).behind).toEqual([
      { conversationId: group, headSeq: 2 },
    ]);
    expect((await ben.ok('heartbeat', { heads: { [group]: 2, [still]: 5 } })).behind).toEqual([]);
    expect(await ben.ok('heartbeat', {})).toEqual({ serverTimeMs: stage.clock.now(), behind: [], presence: [] });
  });

  it('names them without the cache of heads too', async () => {
    await ana.send(group);
    const services = replace(stage.services, 'presence', { heads: () => Promise.reject(new Unavailable('down')) });
    expect((await ben.ok('heartbeat', { heads: { [group]: 0 } }, services)).behind).toHaveLength(1);
  });

  it('names them to members only', async () => {
    await ana.send(group);
    const cleo = await stage.connect('cleo');
    expect((await cleo.ok('heartbeat', { heads: { [group]: 0 } })).behind).toEqual([]);
  });

  it('answers whatever Valkey does; presence is unknown then', async () => {
    await ana.ok('presence.watch', { userIds: ['ben'] });
    await ana.send(group);
    const services = intercept(stage.services, ({ port, method, proceed }) =>
      port === 'presence' && method !== 'watchedBy' ? Promise.reject(new Unavailable('down')) : proceed(),
    );
    expect(await ana.ok('heartbeat', { heads: { [group]: 0 } }, services)).toEqual({
      serverTimeMs: stage.clock.now(),
      behind: [{ conversationId: group, headSeq: 1 }],
      presence: [{ userId: 'ben', state: 'unknown' }],
    });
  });
});

describe('presence', () => {
  it('begins with the first heartbeat, and no other frame refreshes it', async () => {
    expect(await stateOfBen()).toBe('offline');
    await ben.ok('session.start', {});
    await ben.send(group);
    await ben.ok('receipt.set', { conversationId: group, readSeq: 1 });
    await ben.ok('typing.set', { conversationId: group, typing: true });
    expect(await stateOfBen()).toBe('offline');
    await ben.ok('heartbeat', {});
    expect(await stateOfBen()).toBe('online');
  });

  it('ends 45 s after the last heartbeat, and remembers when that was', async () => {
    await ben.ok('heartbeat', {});
    const seenAtMs = stage.clock.now();
    stage.clock.advance(LIMITS.presenceTtlMs - 1);
    expect(await stateOfBen()).toBe('online');
    stage.clock.advance(1);
    expect((await ana.ok('presence.watch', { userIds: ['ben'] })).presence).toEqual([
      { userId: 'ben', state: 'offline', lastSeenAtMs: seenAtMs },
    ]);
  });

  it('ends at once with session.end, but only with that of the last connection', async () => {
    const tablet = await stage.connect('ben', { deviceId: 'tablet' });
    await ana.ok('presence.watch', { userIds: ['ben'] });
    for (const socket of [ben, tablet]) await socket.ok('heartbeat', {});
    await ben.ok('session.end', {});
    await stage.settled();
    expect(seenBy(ana).map(({ state }) => state)).toEqual(['online']);
    await tablet.ok('session.end', {});
    await stage.settled();
    expect(seenBy(ana).map(({ state }) => state)).toEqual(['online', 'offline']);
  });

  it('is pushed to watchers once when a user appears, not with every heartbeat', async () => {
    await ana.ok('presence.watch', { userIds: ['ben'] });
    for (let i = 0; i < 3; i++) {
      await ben.ok('heartbeat', {});
      stage.clock.advance(LIMITS.heartbeatIntervalMs);
      await ana.ok('heartbeat', {});
    }
    await stage.settled();
    expect(seenBy(ana)).toEqual([{ userId: 'ben', state: 'online', lastSeenAtMs: expect.any(Number) as number }]);
    expect(seenBy(ben)).toEqual([]);
  });

  it('of a user who wants to be invisible is offline to others, at once', async () => {
    await ana.ok('presence.watch', { userIds: ['ben'] });
    await ben.ok('heartbeat', { invisible: true });
    await stage.settled();
    expect([await stateOfBen(), seenBy(ana)]).toEqual(['offline', []]);
    await ben.ok('heartbeat', {});
    await stage.settled();
    expect(seenBy(ana).map(({ state }) => state)).toEqual(['online']);
    await ben.ok('heartbeat', { invisible: true });
    expect(await stateOfBen()).toBe('offline');
  });

  it('that was lost silently is seen by the watcher with its own next heartbeat', async () => {
    await ana.ok('presence.watch', { userIds: ['ben'] });
    await ben.ok('heartbeat', {});
    stage.clock.advance(LIMITS.heartbeatIntervalMs);
    expect((await ana.ok('heartbeat', {})).presence).toMatchObject([{ userId: 'ben', state: 'online' }]);
    stage.clock.advance(LIMITS.heartbeatIntervalMs);
    expect((await ana.ok('heartbeat', {})).presence).toMatchObject([{ userId: 'ben', state: 'offline' }]);
  });
});

describe('presence.watch', () => {
  it('replaces the set, answers in its order, and leaves out strangers to the workspace', async () => {
    await stage.connect('cleo');
    const { presence } = await ana.ok('presence.watch', { userIds: ['cleo', 'nobody', 'ben', 'cleo'] });
    expect(presence.map(({ userId }) => userId)).toEqual(['cleo', 'ben']);
    await ana.ok('presence.watch', { userIds: ['cleo'] });
    await ben.ok('heartbeat', {});
    await stage.settled();
    expect(seenBy(ana)).toEqual([]);
    expect((await ana.ok('heartbeat', {})).presence.map(({ userId }) => userId)).toEqual(['cleo']);
  });

  it('ends with the heartbeats of the watcher, with unwatch, and with the session', async () => {
    const watchers = await Promise.all(['a', 'b', 'c'].map((userId) => stage.connect(userId)));
    for (const watcher of watchers) await watcher.ok('presence.watch', { userIds: ['ben'] });
    await watchers[0]!.ok('presence.unwatch', {});
    await watchers[1]!.ok('session.end', {});
    stage.clock.advance(LIMITS.presenceTtlMs);
    await ben.ok('heartbeat', {});
    await stage.settled();
    expect(stage.gateway.posts).toEqual([]);
    for (const watcher of watchers) expect((await watcher.ok('heartbeat', {})).presence).toEqual([]);
  });
});

describe('typing.set', () => {
  const seenTyping = (socket: Socket) =>
    socket.events.flatMap(({ type, body }) => (type === 'typing' ? [body.typing] : []));
  const type = (typing: boolean, socket = ben) => socket.ok('typing.set', { conversationId: group, typing });

  it('tells the others, with the time at which it ends by itself', async () => {
    await type(true);
    await stage.settled();
    const expiresAtMs = stage.clock.now() + LIMITS.typingTtlMs;
    const body = { conversationId: group, userId: 'ben', typing: true, expiresAtMs };
    expect(ana.events).toEqual([{ type: 'typing', body }]);
    expect(ben.events).toEqual([]);
  });

  it('tells once in 3 s, however often it is said', async () => {
    for (let i = 0; i < 100; i++) {
      await type(true);
      stage.clock.advance(10);
    }
    await stage.settled();
    expect(seenTyping(ana)).toEqual([true]);
    stage.clock.advance(2_000);
    await type(true);
    await stage.settled();
    expect(seenTyping(ana)).toEqual([true, true]);
  });

  it('tells of an end once, and at once of a new beginning', async () => {
    await type(false);
    await type(true);
    await type(false);
    await type(false);
    await type(true);
    await stage.settled();
    expect(seenTyping(ana)).toEqual([true, false, true]);
  });

  it('tells of an end as long as the others still see the latest beginning', async () => {
    await type(true);
    stage.clock.advance(LIMITS.typingCoalesceMs);
    await type(true);
    stage.clock.advance(LIMITS.typingTtlMs - 1);
    await type(false);
    await stage.settled();
    expect(seenTyping(ana)).toEqual([true, true, false]);
    await type(true);
    stage.clock.advance(LIMITS.typingTtlMs);
    await type(false);
    await stage.settled();
    expect(seenTyping(ana)).toEqual([true, true, false, true]);
  });

  it('keeps two members and two conversations apart', async () => {
    const other = await stage.group(ana, ben);
    await type(true);
    await type(true, ana);
    await ben.ok('typing.set', { conversationId: other, typing: true });
    await stage.settled();
    expect([seenTyping(ana), seenTyping(ben)]).toEqual([[true, true], [true]]);
  });

  it('is never stored, and fails nobody when Valkey or the stream is down', async () => {
    const services = intercept(stage.services, ({ port, proceed }) =>
      port === 'presence' || port === 'stream' ? Promise.reject(new Unavailable('down')) : proceed(),
    );
    await ben.ok('typing.set', { conversationId: group, typing: true }, services);
    expect((await ben.ok('log.page', { conversationId: group })).entries).toEqual([]);
  });
});
