import { ACTION_NAMES, ACTIONS, LIMITS, type ActionName } from '@parley/protocol';
import { Unavailable } from '../../../lambdas/ports/unavailable.ts';
import type { LocalAppOptions } from '../../../local/embedded/app.ts';
import { expectRefused, expectState, refuses, type Case, type Given, type Table } from '../support/refusals.ts';
import { SAMPLES } from '../support/samples.ts';
import { until } from '../support/until.ts';
import { frameOf, type Answer } from '../support/wire.ts';
import { withTake } from '../support/with-take.ts';
import { sending, World } from '../support/world.ts';

const CANARY = 'canary-77ab02';
const GOOD = '{"action":"heartbeat","id":"1","body":{}}';
const withAction = (json: string): string => GOOD.replace('"heartbeat"', json);

/** A world of which the test moves the clock, which starts now and stands still. */
const withClock =
  (run: (given: Given, clock: { ms: number }) => Promise<void>, options: LocalAppOptions = {}): Case =>
  async ({ row }) => {
    const clock = { ms: Date.now() };
    const unlimited = { idleTimeoutMs: Infinity, durationMaxMs: Infinity, signatureSkewMaxMs: Infinity };
    const world = await World.start({ ...options, now: () => clock.ms, gateway: unlimited });
    try {
      await run({ world, row }, clock);
    } finally {
      await world.close();
    }
  };

/** The functions that read the row of the caller's connection, so that a frame of a revoked one has no effect. */
const READING: readonly string[] = ['send', 'conversation'];

const onRevokedSocket =
  (action: ActionName): Case =>
  async (given) => {
    const { world } = given;
    const scene = await world.scene();
    const writes = (): number => world.portCalls.filter(({ method }) => WRITES.has(method)).length;
    await world.removeConnection(scene.owner.user);
    const before = writes();
    await expectRefused(given, scene.owner, 'UNAUTHENTICATED', frameOf(action, SAMPLES[action](scene)));
    expect(writes()).toBe(before);
  };
const WRITES = new Set(['takeNumber', 'reserve', 'insertIfAbsent', 'createConversation']);

/** Sends more than the bucket holds, at one moment: just the bucket is accepted. */
async function expectBurst(given: Given, clock: { ms: number }, action: ActionName, burst: number): Promise<void> {
  const scene = await given.world.scene();
  const { owner } = scene;
  const alreadyTaken = action === 'message.send' ? 1 : 0;
  const excess = 7;
  const messages = Array.from({ length: burst - alreadyTaken + excess }, () => frameOf(action, SAMPLES[action](scene)));
  const answers = await owner.askAll(messages);
  const refused = answers.filter(({ frame }) => !frame.ok);
  expect(refused).toHaveLength(excess);
  for (const { frame } of refused) expect(frame.error).toMatchObject({ code: 'RATE_LIMITED', temporary: true });
  const waitMs = refused[0]?.frame.error?.retryAfterMs ?? 0;
  expect(waitMs).toBeGreaterThan(0);
  clock.ms += waitMs;
  expect((await owner.ask(frameOf(action, SAMPLES[action](scene)))).frame).toMatchObject({ ok: true });
  expect(given.row.expected_code).toContain('RATE_LIMITED');
}

const storeDown = withTake(() => Promise.reject(new Unavailable('the store is down')));

const LIMITED: readonly ActionName[] = ['message.send', 'log.sync', 'receipt.set', 'conversation.get'];

export const ROUTING: Table = {
  'route-no-action': {
    'is no request': async (given) => {
      const { owner, conversationId } = await given.world.scene();
      const text = sending(conversationId, CANARY).replace('"action":"message.send",', '');
      await expectRefused(given, owner, 'INVALID_FRAME', { text, secrets: [CANARY] });
    },
  },
  'route-unknown-action': {
    'is told so': refuses('UNKNOWN_ACTION', withAction('"nope"'), {
      text: withAction(`"${CANARY}"`),
      secrets: [CANARY],
    }),
    'also where every object has such a property': refuses(
      'UNKNOWN_ACTION',
      ...['toString', 'constructor', '__proto__', 'hasOwnProperty'].map((name) => withAction(`"${name}"`)),
    ),
  },
  'route-reserved-keys': Object.fromEntries(
    ['$connect', '$disconnect', '$default'].map((key): [string, Case] => [
      `${key} is no action`,
      async (given) => {
        const { world } = given;
        const wire = await world.connect();
        const ids = await world.connectionIds(wire.user);
        const before = world.runs('connect', 'disconnect');
        await expectRefused(given, wire, 'UNKNOWN_ACTION', withAction(`"${key}"`));
        expect(world.runs('connect', 'disconnect')).toBe(before);
        expect(ids).toHaveLength(1);
        expect(await world.connectionIds(wire.user)).toEqual(ids);
      },
    ]),
  ),
  'route-wrong-action-type-or-case': {
    'of another type': refuses('INVALID_FRAME', ...['1', 'null', '{}', '["heartbeat"]'].map(withAction)),
    'spelled otherwise': refuses(
      'UNKNOWN_ACTION',
      ...['"HEARTBEAT"', '"heartbeat "', '" heartbeat"', '"Heartbeat"', '""'].map(withAction),
    ),
  },
  'session-token-expired': {
    'accepts frames until the very end, and none after it': withClock(async (given, clock) => {
      const { world } = given;
      const { owner, conversationId } = await world.scene();
      const { socketEndsAtMs } = await owner.call('session.start', {});
      clock.ms = socketEndsAtMs - 1_000;
      expect((await owner.ask(sending(conversationId))).frame).toMatchObject({ ok: true });
      expect((await owner.ask(frameOf('heartbeat', {}))).frame).toMatchObject({ ok: true });
      for (const at of [socketEndsAtMs, socketEndsAtMs + 1_000]) {
        clock.ms = at;
        for (const [code, text] of [
          ['TOKEN_EXPIRED', sending(conversationId)],
          ['TOKEN_EXPIRED', frameOf('heartbeat', {})],
          ['UNKNOWN_ACTION', frameOf('auth.refresh', {})],
        ] as const) {
          expect(given.row.expected_code).toContain(code);
          expect((await owner.ask(text)).frame).toMatchObject({ ok: false, error: { code } });
          expect(owner.isOpen).toBe(true);
        }
      }
      clock.ms = Date.now();
      await expectState(given, owner);
    }),
  },
  'session-revoked': Object.fromEntries(
    ACTION_NAMES.filter((action) => READING.includes(ACTIONS[action].function)).map((action) => [
      `${action} has no effect`,
      onRevokedSocket(action),
    ]),
  ),
  'session-row-missing': { 'message.send has no effect': onRevokedSocket('message.send') },
  'rate-burst': Object.fromEntries(
    LIMITED.map((action) => [
      action,
      withClock(async (given, clock) => {
        await expectBurst(given, clock, action, ACTIONS[action].rate.burst);
      }),
    ]),
  ),
  'rate-store-down': Object.fromEntries(
    LIMITED.map((action) => [
      action,
      withClock(async (given, clock) => {
        await expectBurst(given, clock, action, ACTIONS[action].rate.burst / 4);
      }, storeDown),
    ]),
  ),
  'session-pipelined-then-close': {
    'every accepted one is in the log, once': withClock(async ({ world }) => {
      const { owner, other, conversationId } = await world.scene();
      const runs = (): number =>
        world.functionCalls.filter(({ functionName, done }) => functionName === 'send' && done).length;
      const before = runs();
      for (let i = 0; i < 1_000; i++) owner.send(sending(conversationId, `text ${i}`));
      owner.socket.close(1000);
      await owner.closed();
      await until(() => runs() === before + 1_000, 'all sends are done');
      const beginning = { seq: 0, id: '0' };
      const all = { conversationId, after: beginning, limit: LIMITS.syncLimitMax };
      const { entries, completeToSeq, headSeq } = await other.call('log.sync', all);
      expect(headSeq).toBe(ACTIONS['message.send'].rate.burst);
      expect(completeToSeq).toBe(headSeq);
      const texts = entries.flatMap((entry) => (entry.kind === 'message' ? [entry.content.text] : []));
      expect(new Set(texts).size).toBe(headSeq);
      const accepted = owner.answers.flatMap(idOfSent);
      expect(entries.map(({ id }) => id)).toEqual(expect.arrayContaining(accepted));
      const codes = new Set(owner.answers.map(({ frame }) => frame.error?.code));
      expect([...codes].filter((code) => code !== undefined && code !== 'RATE_LIMITED')).toEqual([]);
    }),
  },
};

/** The id of an accepted message. */
function idOfSent({ frame }: Answer): string[] {
  const { id } = (frame.body ?? {}) as { id?: string };
  return id === undefined ? [] : [id];
}
