import { setTimeout as wait } from 'node:timers/promises';
import { numbersIn, type LostBatch } from '../../../scripts/redrive/lost.ts';
import { redrive } from '../../../scripts/redrive/redrive.ts';
import type { Lab } from '../harness/lab.ts';
import type { Parked } from '../harness/stream.ts';
import { until } from '../harness/until.ts';
import type { Fault } from './fault.ts';

const MESSAGES = 6;

export const R24: Fault = {
  id: 'R-24',
  title: 'What consumers gave up on is replayed, later and twice',
  hypothesis:
    'What lives comes to those who are members now; what was deleted stays gone; nobody shows anything twice.',
  schedule: `Deliver cannot read the members: ${MESSAGES} records are parked. One message is deleted, one member removed. Then the redrive, twice.`,
  asserts: 'The member has all that lives, and not the deleted text; the removed one has nothing more.',
  async run(run, lab) {
    const sender = await run.raw('ana', 'sender');
    const wire = await run.raw('ben', 'wire');
    const removed = await run.raw('cleo', 'removed');
    const conversationId = await run.group('ana', 'ben', 'cleo');
    const before = (await lab.stream.parked()).length;
    const end = run.history.begin('nothing is delivered');
    lab.seams.around = (name, event, proceed) => {
      const isDirect = name === 'deliver' && (event as { type?: string }).type === 'direct';
      return isDirect ? Promise.resolve({ payload: '{"served":[]}', failed: false }) : proceed();
    };
    lab.order({
      fail: { function: 'deliver', at: 'directory.members', how: 'lost', times: Number.MAX_SAFE_INTEGER },
    });
    const ids: string[] = [];
    for (let i = 0; i < MESSAGES; i++) {
      const answer = await sender.send(conversationId, `parked ${i}`);
      if (answer.outcome === 'ok') ids.push(answer.body.id);
    }
    const parked = async () => (await lab.stream.parked()).slice(before);
    await until(async () => (await parked()).length >= MESSAGES, 'all are parked');
    const targetId = ids[2] ?? '';
    await sender.ask('message.delete', { conversationId, clientRequestId: crypto.randomUUID(), targetId });
    run.history.record('ana/sender', 'ok', 'remove', { conversationId, id: targetId });
    await run.remove(sender, conversationId, 'cleo');
    lab.order({});
    lab.seams.around = undefined;
    const told = removed.got.length;
    const records = await parked();
    for (let times = 0; times < 2; times++) await replay(lab, records);
    end();
    const living = ids.filter((id) => id !== targetId);
    const has = (id: string): boolean => wire.got.some((entry) => entry.id === id && entry.kind === 'message');
    await until(() => living.every(has), 'the member has all that lives', 10_000).catch(() => {
      run.expect(false, `the member lacks ${living.filter((id) => !has(id)).join(', ')}`);
    });
    await wait(500);
    run.expect(!has(targetId), 'the deleted text was told');
    const more = removed.got.slice(told).filter(({ kind }) => kind === 'message');
    run.expect(more.length === 0, `the removed member was told ${more.length} messages`);
  },
};

async function replay(lab: Lab, records: readonly Parked[]): Promise<void> {
  async function* batches(): AsyncGenerator<LostBatch> {
    for (const record of records) {
      yield await Promise.resolve({
        where: 'parked',
        ...numbersIn(JSON.stringify(record)),
        done: () => Promise.resolve(),
      });
    }
  }
  const repair = async (request: object): Promise<void> => {
    const { failed, payload } = await lab.invoke('repair', request);
    if (failed) throw new Error(`repair failed: ${payload}`);
  };
  await redrive({ batches: batches(), repair });
}
