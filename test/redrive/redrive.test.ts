import { randomUUID } from 'node:crypto';
import { LIMITS, type Entry } from '@parley/protocol';
import { createHandler as repair } from '../../lambdas/repair.ts';
import { Unavailable } from '../../lambdas/ports/unavailable.ts';
import { numbersIn, type LostBatch } from '../../scripts/redrive/lost.ts';
import { redrive, type Repair } from '../../scripts/redrive/redrive.ts';
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
  readonly repair: Repair;
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
  const run: Repair = async (request) => {
    const { batchItemFailures } = await repair(stage.services)(request);
    expect(batchItemFailures).toEqual([]);
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

  describe('of what the outbox could not get through', () => {
    const key = () => ({ clientRequestId: randomUUID() });
    const dead = () => Promise.reject(new Unavailable('down'));

    it('carries out a delete whose sender died before it blanked anything', async () => {
      const { stage, ana, group, repair: run } = await scene();
      const { id: targetId } = await ana.ok('message.send', sendBody(group, 'SECRET one'));
      const content = { type: 'text' as const, text: 'SECRET two' };
      await ana.ok('message.edit', { conversationId: group, ...key(), targetId, content });
      await stage.repaired();
      const dying = replace(stage.services, 'log', { blank: dead });
      await ana.request('message.delete', { conversationId: group, ...key(), targetId }, dying);
      const Records = stage.outbox.splice(0);
      const { batches, done } = batchesOf([{ payload: JSON.stringify({ Records }) }]);
      expect(await redrive({ batches, repair: run })).toEqual({ batches: 1, numbers: 1, others: 0 });
      expect(done).toHaveLength(1);
      const rows = await stage.log.after(ana.keyOf(group), '0', 10);
      expect(rows.map(({ kind }) => kind)).toEqual(['deleted', 'deleted', 'delete']);
      expect(JSON.stringify(rows)).not.toContain('SECRET');
    });

    it('tells of a removal whose sender died before its entry stood, though its number was closed meanwhile', async () => {
      const { stage, ana, ben, group, repair: run } = await scene();
      await stage.repaired();
      const dying = replace(stage.services, 'log', { insertIfAbsent: dead });
      await ana.request('member.remove', { conversationId: group, ...key(), userId: 'ben' }, dying);
      const Records = stage.outbox.splice(0);
      const conversation = ana.keyOf(group);
      await run({ type: 'repair', conversation, seqs: [1] });
      for (let times = 0; times < 2; times++) {
        const { batches } = batchesOf([{ payload: { Records } }]);
        await redrive({ batches, repair: run });
      }
      const rows = await stage.log.after(conversation, '0', 10);
      expect(rows.map(({ kind }) => kind).filter((kind) => kind !== 'void')).toEqual(['member']);
      expect(ben.events).toContainEqual({
        type: 'conversation',
        body: { change: 'removed', conversation: { conversationId: group } },
      });
    });
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
    const records = values.map((value) => ({ value: Buffer.from(JSON.stringify(value)).toString('base64') }));
    const asked: Parameters<Repair>[0][] = [];
    const repairAll: Repair = (request) => Promise.resolve(void asked.push(request));
    await redrive({
      batches: batchesOf([{ payload: { records: { 'events-0': records } } }]).batches,
      repair: repairAll,
    });
    const seqs = asked.map((request) => ('seqs' in request ? request.seqs : []));
    expect(seqs.map(({ length }) => length)).toEqual([32, 32, 6]);
    expect(new Set(seqs.flat()).size).toBe(70);
  });

  it('hands on the records of the outbox as they are, in portions, but for those that tell of no number', async () => {
    const image = { conversation: { S: 'w1/c' }, seq: { N: '1' }, id: { N: '5' } };
    const Records: object[] = Array.from({ length: 150 }, () => ({ dynamodb: { NewImage: image } }));
    Records.push({ dynamodb: {} }, { dynamodb: { NewImage: { seq: { N: '1' } } } });
    const asked: Parameters<Repair>[0][] = [];
    const repairAll: Repair = (request) => Promise.resolve(void asked.push(request));
    const { batches } = batchesOf([{ payload: { Records } }]);
    expect(await redrive({ batches, repair: repairAll })).toEqual({ batches: 1, numbers: 150, others: 2 });
    expect(asked).toEqual([{ Records: Records.slice(0, 100) }, { Records: Records.slice(100, 150) }]);
  });
});
