import { ACTION_NAMES, ERRORS, type ErrorCode, type ReplyFrame } from '@parley/protocol';
import * as fc from 'fast-check';
import { createHandler as connect } from '../../lambdas/connect.ts';
import { createHandler as conversation } from '../../lambdas/conversation.ts';
import { createHandler as disconnect } from '../../lambdas/disconnect.ts';
import { createHandler as heartbeat } from '../../lambdas/heartbeat.ts';
import { createHandler as receipt } from '../../lambdas/receipt.ts';
import { createHandler as send } from '../../lambdas/send.ts';
import { createHandler as sync } from '../../lambdas/sync.ts';
import { connectEvent, messageEvent, routeOf } from '../lambdas/support/events.ts';
import { replace } from '../lambdas/support/intercept.ts';
import { Stage, type Socket } from '../lambdas/support/stage.ts';
import { realProcess, watchCrashes } from './support/crashes.ts';
import { heapLeftByRound } from './support/heap.ts';
import { captureLog } from './support/log-lines.ts';
import { SAMPLES } from './support/samples.ts';
import { announceSeed, mutated, mutations } from './support/seed.ts';
import { frameOf } from './support/wire.ts';
import type { Scene } from './support/world.ts';

const seed = announceSeed('fuzz of functions');
const RUNS = 1_500;
const FRAMES_PER_ROUND = 400;
/** What of the heap a round may leave behind; a frame that stays is 300 bytes and more. */
const LEFT_PER_FRAME_MAX_BYTES = 200;
/** Beyond it an answer hangs. */
const ANSWER_MAX_MS = 2_000;

jest.setTimeout(120_000);

const FUNCTIONS = { send, heartbeat, receipt, sync, conversation };
const { crashes, stop } = watchCrashes();
let stage: Stage;
let ana: Socket;
let scene: Scene;
/** For what ends a conversation. */
let other: Scene;
let handlers: Record<keyof typeof FUNCTIONS, (event: unknown) => Promise<{ statusCode?: number; body?: string }>>;

beforeAll(async () => {
  captureLog();
  stage = new Stage((services) =>
    replace(services, 'presence', { take: () => Promise.resolve({ allowed: true, retryAfterMs: 0 }) }),
  );
  ana = await stage.connect('ana');
  const ben = await stage.connect('ben');
  const outsider = await stage.connect('dan');
  const conversationId = await stage.group(ana, ben);
  const message = await ana.send(conversationId, 'hello');
  const { epoch } = (await ana.ok('conversation.get', { conversationId })).conversation;
  scene = { owner: { user: ana }, other: { user: ben }, outsider, conversationId, epoch, message } as unknown as Scene;
  other = { ...scene, conversationId: await stage.group(ana, ben) };
  const made = Object.entries(FUNCTIONS).map(([name, create]) => [name, create(stage.services)]);
  handlers = Object.fromEntries(made) as typeof handlers;
});
afterAll(() => {
  stop();
  expect(crashes).toEqual([]);
});

const frames = fc
  .tuple(fc.constantFrom(...ACTION_NAMES), mutations)
  .map(([action, changes]) =>
    mutated(frameOf(action, SAMPLES[action](action === 'conversation.leave' ? other : scene)), changes),
  );

/** @throws when it takes too long */
async function within<T>(work: Promise<T>): Promise<T> {
  const startedAt = performance.now();
  const result = await work;
  if (performance.now() - startedAt > ANSWER_MAX_MS) throw new Error('it took too long');
  return result;
}

describe(`a function, fed ${RUNS} spoiled frames`, () => {
  it('answers each with a reply of the protocol, and never by a failure of its own', async () => {
    const seen = new Map<string, number>();
    await fc.assert(
      fc.asyncProperty(frames, async (text) => {
        const { routeKey, function: name } = routeOf(text);
        const { statusCode, body = '' } = await within(handlers[name](messageEvent(ana, text, routeKey)));
        const frame = JSON.parse(body) as ReplyFrame;
        const code = frame.ok ? 'ok' : frame.error.code;
        seen.set(code, (seen.get(code) ?? 0) + 1);
        expect([statusCode, code === 'ok' || (Object.keys(ERRORS) as ErrorCode[]).includes(code)]).toEqual([200, true]);
        expect({ text: text.slice(0, 500), code }).not.toMatchObject({ code: 'INTERNAL' });
        expect({ text: text.slice(0, 500), code }).not.toMatchObject({ code: 'UNAVAILABLE' });
      }),
      { seed, numRuns: RUNS },
    );
    expect([...seen.keys()]).toEqual(
      expect.arrayContaining(['ok', 'INVALID_JSON', 'INVALID_FRAME', 'VALIDATION_FAILED', 'NOT_FOUND']),
    );
    expect(({} as Record<string, unknown>)['admin']).toBeUndefined();
    await ana.send(scene.conversationId, 'the next good one');
  });

  it('takes any event that is none of a socket without a failure', async () => {
    const entrance = { ...handlers, connect: connect(stage.services), disconnect: disconnect(stage.services) };
    const events = fc.oneof(
      fc.anything({ withNullPrototype: true, withBigInt: true }).map((event): Odd => ({ event })),
      fc
        .tuple(fc.constantFrom(messageEvent(ana, '{"action":"heartbeat"}', 'heartbeat'), connectEvent(ana)), mutations)
        .map(([event, changes]): Odd => ({ text: mutated(JSON.stringify(event), changes) })),
    );
    let called = 0;
    await fc.assert(
      fc.asyncProperty(events, fc.constantFrom(...Object.keys(entrance)), async (odd, name) => {
        const event = 'text' in odd ? parsedOr(odd.text) : odd.event;
        const { statusCode = 0 } = await within(entrance[name as keyof typeof entrance](event));
        expect([200, 400, 401, 403]).toContain(statusCode);
        called++;
      }),
      { seed, numRuns: RUNS },
    );
    expect(called).toBe(RUNS);
  });

  it('keeps nothing of them: the heap stays as it was', async () => {
    const answer = async (text: string): Promise<boolean> => {
      const { routeKey, function: name } = routeOf(text);
      const { body = '' } = await handlers[name](messageEvent(ana, text, routeKey));
      return (JSON.parse(body) as ReplyFrame).ok;
    };
    const texts: string[] = [];
    for (const text of fc.sample(frames, { seed, numRuns: FRAMES_PER_ROUND })) {
      if (!(await answer(text)) || !mayStore(text)) texts.push(text);
    }
    expect(texts.filter(mayStore).length).toBeGreaterThan(FRAMES_PER_ROUND / 20);
    expect(texts.length).toBeGreaterThan(FRAMES_PER_ROUND / 4);
    const leftByRound = await heapLeftByRound(async () => {
      for (const text of texts) await answer(text);
      captureLog();
    });
    const left = leftByRound / texts.length;
    realProcess.stderr.write(`heap left behind by a frame: ${left.toFixed(0)} bytes\n`);
    expect(left).toBeLessThan(LEFT_PER_FRAME_MAX_BYTES);
  });
});

/** An event, or the text of one: as a value some would be too deep to be shown. */
type Odd = { readonly event: unknown } | { readonly text: string };

/** What, once it is accepted, is stored and stays. Refused it must leave nothing. */
function mayStore(text: string): boolean {
  return /"action":"(?:message\.|conversation\.(?:create|leave)|member\.(?:add|remove))/.test(text);
}

function parsedOr(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
