import { randomUUID } from 'node:crypto';
import { LIMITS, type Entry } from '@parley/protocol';
import { createHandler as repair } from '../../lambdas/repair.ts';
import { Unavailable } from '../../lambdas/ports/unavailable.ts';
import type { RepairRequest } from '../../lambdas/ports/repairs/port.ts';
import { numbersIn, type LostBatch } from '../../scripts/redrive/lost.ts';
import { redrive } from '../../scripts/redrive/redrive.ts';
import { audit } from '../lambdas/support/audit.ts';
import { replace } from '../lambdas/support/intercept.ts';
import { sendBody, Stage, type Socket } from '../lambdas/support/stage.ts';

interface Scene {
  readonly stage: Stage;
  readonly ana: Socket;
  readonly ben: Socket;
  readonly group: string;
  /** Sends a message whose delivery nobody sees. Answers what a consumer would have parked. */
  readonly lose: (text: string) => Promise<{ value: object; seq: number; id: string }>;
  readonly repair: (request: RepairRequest) => Promise<void>;
}

async function scene(): Promise<Scene> {
  const stage = new Stage();
  const ana = await stage.connect('ana');
  const ben = await stage.connect('ben');
  const group = await stage.group(ana, ben);
  const noDirect = replace(stage.services, 'direct', { deliver: () => Promise.reject(new Unavailable('down')) });
  const lost = replace(noDirect, 'stream', { publish: () => Promise.resolve() });
  const lose = async (text: string) => {
    const { seq, id } = await ana.ok('message.send', sendBody(group, text), lost);
    const value = { topic: 'conversation-events', conversation: ana.keyOf(group), id, seq, code: 'INTERNAL' };
    return { value, seq, id };
  };
  const run = async (request: RepairRequest): Promise<void> => {
    await repair(stage.services)(request);
    await stage.settled();
  };
  return { stage, ana, ben, group, lose, repair: run };
}

function batchesOf(values: readonly unknown[]): { batches: AsyncIterable<LostBatch>; done: unknown[] } {
  const done: unknown[] = [];
  async function* batches() {
    for (const value of values) {
      await Promise.resolve();
      yield {
        where: 'here',
        ...numbersIn(JSON.stringify(value)),
        done: () => {
          done.push(value);
          return Promise.resolve();
        },
      };
    }
  }
  return { batches: batches(), done };
}

const entriesOf = (socket: Socket): Entry[] =>
  socket.events.flatMap(({ type, body }) => (type === 'entry' ? [body] : []));

describe('a redrive', () => {
  it('delivers what was parked, though it is marked as published, and once to clients that dedupe', async () => {
    const { ben, lose, repair: run } = await scene();
    const { value, id } = await lose('parked');
    expect(entriesOf(ben)).toEqual([]);
    const { batches, done } = batchesOf([value, value]);
    expect(await redrive({ batches, repair: run })).toEqual({ batches: 2, numbers: 2, others: 0 });
    expect(done).toEqual([value, value]);
    expect(new Set(entriesOf(ben).map((entry) => entry.id))).toEqual(new Set([id]));
  });

  it('leaves what has ended alone', async () => {
    const { stage, ben, lose, repair: run } = await scene();
    const { value } = await lose('parked');
    stage.clock.advance(LIMITS.entryTtlMs);
    await redrive({ batches: batchesOf([value]).batches, repair: run });
    expect(entriesOf(ben)).toEqual([]);
  });

  it('gives a removed member nothing, and shows no text of a deleted message', async () => {
    const { stage, ana, ben, group, lose, repair: run } = await scene();
    const cleo = await stage.connect('cleo');
    await ana.ok('member.add', { conversationId: group, clientRequestId: randomUUID(), userId: 'cleo' });
    const secret = await lose('a secret');
    const kept = await lose('still there');
    const deleted = { conversationId: group, clientRequestId: randomUUID(), targetId: secret.id };
    await ana.ok('message.delete', deleted);
    await ana.ok('member.remove', { conversationId: group, clientRequestId: randomUUID(), userId: 'ben' });
    await stage.settled();
    stage.clock.advance(3 * 86_400_000);
    // Their sockets have ended long ago; both are there again.
    const [removed, member] = [await stage.connect('ben'), await stage.connect('cleo')];
    await redrive({ batches: batchesOf([secret.value, kept.value]).batches, repair: run });
    expect(removed.events).toEqual([]);
    const messages = entriesOf(member).filter(({ kind }) => kind === 'message');
    expect(messages.map(({ id }) => id)).toContain(kept.id);
    expect(JSON.stringify([ben, cleo, member].map(({ events }) => events))).not.toContain('a secret');
  });

  it('makes a number void where nothing was ever stored', async () => {
    const { stage, ana, group, repair: run } = await scene();
    const conversation = ana.keyOf(group);
    const request = { conversation, id: '99', step: 1, nonce: 'gone', rosterVersion: 1 };
    await stage.directory.takeNumber(request);
    await redrive({ batches: batchesOf([{ conversation, seq: 1 }]).batches, repair: run });
    expect(await audit(stage, conversation, 'ana')).toMatchObject({ voids: [1], pending: [] });
  });

  it('leaves alone numbers that nobody took, and conversations that do not exist', async () => {
    const { stage, ana, ben, group, repair: run } = await scene();
    const conversation = ana.keyOf(group);
    const { batches } = batchesOf([
      { conversation, seq: 7 },
      { conversation: 'w1/g_unknown', seq: 1 },
    ]);
    await redrive({ batches, repair: run });
    expect(await stage.log.after(conversation, '0', 10)).toEqual([]);
    expect(entriesOf(ben)).toEqual([]);
  });

  it('takes nothing away that was not repaired', async () => {
    const { lose } = await scene();
    const { value } = await lose('parked');
    const { batches, done } = batchesOf([value]);
    await expect(redrive({ batches, repair: () => Promise.reject(new Error('down')) })).rejects.toThrow('down');
    expect(done).toEqual([]);
  });

  it('asks in portions that repair takes, each number once', async () => {
    const values = Array.from({ length: 100 }, (_, i) => ({ conversation: 'w1/c', seq: 1 + (i % 70) }));
    const Records = values.map(({ conversation, seq }) => ({
      dynamodb: { NewImage: { conversation: { S: conversation }, seq: { N: String(seq) }, id: { N: '5' } } },
    }));
    const asked: RepairRequest[] = [];
    const repairAll = (request: RepairRequest) => Promise.resolve(void asked.push(request));
    await redrive({ batches: batchesOf([{ payload: { Records } }]).batches, repair: repairAll });
    expect(asked.map(({ seqs }) => seqs.length)).toEqual([32, 32, 6]);
    expect(new Set(asked.flatMap(({ seqs }) => seqs)).size).toBe(70);
  });
});

describe('what a failed batch says', () => {
  const kafka = (...values: unknown[]) => ({
    records: {
      'conversation-events-0': values.map((value) => ({
        value: Buffer.from(JSON.stringify(value)).toString('base64'),
      })),
    },
  });

  it('is found in the event of a crashed function, given as text or as JSON', () => {
    const event = kafka(
      { v: 1, type: 'entry', conversation: 'w1/c', entry: { id: '5', seq: 3, content: { type: 'text', text: 'x' } } },
      { v: 1, type: 'receipt', conversation: 'w1/c', event: {} },
    );
    const numbers = [{ conversation: 'w1/c', seq: 3 }];
    expect(numbersIn(JSON.stringify({ requestContext: {}, payload: event }))).toEqual({ numbers, others: 1 });
    expect(numbersIn(JSON.stringify({ requestContext: {}, payload: JSON.stringify(event) }))).toEqual({
      numbers,
      others: 1,
    });
  });

  it.each([
    null,
    'text',
    [],
    {},
    { conversation: 5, seq: 1 },
    { conversation: 'w/c', seq: '1' },
    { conversation: 'w/c', seq: 0 },
    { conversation: 'w/c', seq: 1.5 },
    { payload: '{' },
    { payload: { Records: [null, { dynamodb: 5 }] } },
    { payload: { records: { a: [null, { value: 'bm8=' }] } } },
  ])('is nothing where it makes no sense: %j', (value) => {
    expect(numbersIn(JSON.stringify(value)).numbers).toEqual([]);
    expect(numbersIn(`${JSON.stringify(value)}{`).numbers).toEqual([]);
  });
});
