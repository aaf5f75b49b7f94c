import type { DynamoDBRecord, MSKRecord } from 'aws-lambda';
import * as fc from 'fast-check';
import { createHandler as deliver } from '../../lambdas/deliver.ts';
import { createHandler as repair } from '../../lambdas/repair.ts';
import type { ParkedRecord } from '../../lambdas/ports/event-stream/port.ts';
import { DeliverScene } from '../lambdas/support/deliver-scene.ts';
import { mskEvent } from '../lambdas/support/events.ts';
import { intercept } from '../lambdas/support/intercept.ts';
import { realProcess, watchCrashes } from './support/crashes.ts';
import { heapLeftByRound } from './support/heap.ts';
import { captureLog, logLines } from './support/log-lines.ts';
import { announceSeed, mutated, mutations } from './support/seed.ts';

const seed = announceSeed('fuzz of records');
const RUNS = 1_000;
const RECORDS_PER_ROUND = 300;
/** What of the heap a round may leave behind; a record that stays is 300 bytes and more. */
const LEFT_PER_RECORD_MAX_BYTES = 200;
const BODY = 'canary-5d2c41-what-was-said';
const PARKED_FIELDS = ['topic', 'partition', 'offset', 'conversation', 'id', 'seq', 'code'];

jest.setTimeout(120_000);

const { crashes, stop } = watchCrashes();
let scene: DeliverScene;
let lastSeq = 0;

beforeAll(async () => {
  captureLog();
  scene = await DeliverScene.open();
});
afterAll(() => {
  stop();
  expect(crashes).toEqual([]);
});

/** Good records of every type, but for `close`, which takes its time. */
function goodRecords(): { topic: string; text: string }[] {
  const { ana, ben, group } = scene;
  const conversation = ana.keyOf(group);
  const receipt = { type: 'receipt', body: { conversationId: group, userId: 'ana', deliveredSeq: 1, readSeq: 1 } };
  const typing = { type: 'typing', body: { conversationId: group, userId: 'ana', typing: true, expiresAtMs: 1 } };
  const shared = { conversationId: group, type: 'group', epoch: 1, headSeq: 1, memberCount: 2, createdAtMs: 1 };
  const connections = [{ user: ben.user, connectionId: ben.connectionId }];
  const records: [string, object][] = [
    ['conversation-events', scene.recordOf(1, BODY, { served: ['ana'], exceptConnectionId: 'c' })],
    ['conversation-events', scene.recordOf(1, BODY, { served: 'all' })],
    ['conversation-events', { v: 1, type: 'receipt', conversation, event: receipt }],
    ['conversation-events', { v: 1, type: 'conversation', conversation, change: 'added', shared }],
    ['signals', { v: 1, type: 'users', users: [ben.user], event: typing }],
    ['signals', { v: 1, type: 'connections', connections, event: typing }],
  ];
  return records.map(([topic, record]) => ({ topic, text: JSON.stringify(record) }));
}

/** Services that refuse, as the real ones do, what is no name: not as `Unavailable`, since trying again cannot help. */
const strict = () =>
  intercept(scene.stage.services, ({ port, method, args, proceed }) => {
    const isNamed = (value: unknown): boolean => typeof value === 'string' && value !== '';
    const names = args.slice(0, method === 'removeConnection' ? 2 : 1).flat();
    if ((port === 'gateway' || port === 'directory') && !names.every(isNamed))
      throw new TypeError('ValidationException');
    return proceed();
  });

const raw: fc.Arbitrary<{ readonly [F in keyof MSKRecord]?: unknown }> = fc.oneof(
  fc.record({ value: fc.base64String({ maxLength: 400 }) }),
  fc.record({ value: fc.constantFrom(undefined, null, '', '!!!', 'bnVsbA==') }),
  fc.record({ key: fc.constantFrom(undefined, '', '////') }),
  fc.record({ headers: fc.constant([{ h: [-1, 200, -128] }]) }),
);

describe(`deliver, fed ${RUNS} batches with a spoiled record`, () => {
  it('gets through every batch: what cannot be carried out is parked without what was said, and the next record is delivered', async () => {
    const handler = deliver(strict());
    const choices = fc.tuple(fc.nat(), mutations, fc.option(raw, { freq: 5 }));
    const outcomes = { delivered: 0, parked: 0 };
    await fc.assert(
      fc.asyncProperty(choices, async ([which, changes, spoiled]) => {
        const goods = goodRecords();
        const { topic, text } = goods[which % goods.length]!;
        const seq = 1_000 + ++lastSeq;
        const event = mskEvent(topic, [mutated(text, changes)]);
        const [partition] = Object.values(event.records);
        Object.assign(partition![0]!, spoiled ?? {});
        const good = mskEvent('conversation-events', [scene.recordOf(seq)]);
        Object.assign(event.records, { 'neighbour-0': good.records['conversation-events-0']! });
        const { stage, ben } = scene;
        stage.gateway.posts.length = 0;
        const parkedBefore = stage.stream.parked.length;
        await handler(event);
        const parked: ParkedRecord[] = stage.stream.parked.slice(parkedBefore);
        expect(parked.length).toBeLessThanOrEqual(1);
        outcomes[parked.length === 0 ? 'delivered' : 'parked']++;
        for (const record of parked) {
          expect(PARKED_FIELDS).toEqual(expect.arrayContaining(Object.keys(record)));
          expect(JSON.stringify(record)).not.toContain('canary');
          expect(JSON.stringify(record).length).toBeLessThan(1_000);
        }
        const seqs = ben.events.flatMap((e) => (e.type === 'entry' ? [e.body.seq] : []));
        expect(seqs.filter((one) => one === seq)).toHaveLength(1);
      }),
      { seed, numRuns: RUNS },
    );
    expect(Math.min(outcomes.delivered, outcomes.parked)).toBeGreaterThan(RUNS / 20);
    expect(logLines().filter((line) => line.includes('canary'))).toEqual([]);
  });
});

describe('deliver, fed the same spoiled records again and again', () => {
  it('keeps nothing of them: the heap stays as it was', async () => {
    const { stage } = scene;
    const handler = deliver(strict());
    const choices = fc.sample(fc.tuple(fc.nat(), mutations), { seed, numRuns: RECORDS_PER_ROUND });
    const goods = goodRecords();
    let parked = 0;
    const leftByRound = await heapLeftByRound(async () => {
      for (const [which, changes] of choices) {
        const { topic, text } = goods[which % goods.length]!;
        await handler(mskEvent(topic, [mutated(text, changes)]));
      }
      // What the stage itself keeps for tests to look at.
      parked += stage.stream.parked.splice(0).length;
      stage.gateway.posts.length = 0;
      stage.gateway.closed.length = 0;
      captureLog();
    });
    expect(parked).toBeGreaterThan(RECORDS_PER_ROUND / 20);
    const left = leftByRound / choices.length;
    realProcess.stderr.write(`heap left behind by a record: ${left.toFixed(0)} bytes\n`);
    expect(left).toBeLessThan(LEFT_PER_RECORD_MAX_BYTES);
  });
});

describe(`repair, fed ${RUNS} spoiled images of the outbox`, () => {
  it('settles them, or reports them, or fails as a whole for the poller to bisect; and settles the next good one', async () => {
    const { stage, ana, group } = scene;
    const handler = repair(stage.services);
    const { id, seq } = await ana.send(group, BODY);
    const image = stage.outbox.at(-1)!;
    // Of long ago in any case: a number without a row is waited for.
    const { ApproximateCreationDateTime: _, ...rest } = image.dynamodb ?? {};
    const row = JSON.stringify({ ...image, dynamodb: rest });
    stage.clock.advance(60_000);
    const outcomes = { settled: 0, failed: 0 };
    await fc.assert(
      fc.asyncProperty(mutations, async (changes) => {
        let record: unknown;
        try {
          record = JSON.parse(mutated(row, changes));
        } catch {
          record = null;
        }
        try {
          const { batchItemFailures } = await handler({ Records: [record as DynamoDBRecord] });
          expect(batchItemFailures.length).toBeLessThanOrEqual(1);
          outcomes.settled++;
        } catch (error) {
          expect((error as Error).name).toMatch(/Error$/);
          expect(String(error)).not.toContain('canary');
          outcomes.failed++;
        }
      }),
      { seed, numRuns: RUNS },
    );
    expect(Math.min(outcomes.settled, outcomes.failed)).toBeGreaterThan(RUNS / 50);
    expect(await handler({ Records: [JSON.parse(row) as DynamoDBRecord] })).toEqual({ batchItemFailures: [] });
    expect((await stage.log.get(ana.keyOf(group), id))?.seq).toBe(seq);
    expect(logLines().filter((line) => line.includes('canary'))).toEqual([]);
  });
});
