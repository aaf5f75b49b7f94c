import { setTimeout as wait } from 'node:timers/promises';
import { Traffic } from '../harness/traffic.ts';
import { until } from '../harness/until.ts';
import type { Fault } from './fault.ts';

const TOPIC = 'conversation-events';
const LARGE_BYTES = 900_000;

const FORGED = 'nobody wrote this';

/** An entry that nobody appended, for the members of `conversation`. */
function forged(conversation: string, conversationId: string): object {
  const content = { type: 'text', text: FORGED };
  const placed = { conversationId, id: '1', seq: 1_000_000, kind: 'message', senderId: 'ana', sentAtMs: 1 };
  const clientMessageId = crypto.randomUUID();
  return { v: 1, type: 'entry', conversation, entry: { ...placed, clientMessageId, content }, served: [] };
}

export const R10: Fault = {
  id: 'R-10',
  title: 'Records that nobody understands',
  hypothesis: 'Each is parked once, without its body, and holds up nobody behind it.',
  schedule:
    'Poisoned records, and forged ones of another workspace, of another conversation and under another key, between those of two people who write, without the direct path.',
  asserts:
    'As many are parked as nobody can understand or believe, each once; none of their text is in what is parked, and no forged entry reaches anybody.',
  async run(run, lab) {
    const devices = [await run.sdk('ana'), await run.sdk('ben')];
    const conversationId = await run.group('ana', 'ben');
    const before = (await lab.stream.parked()).length;
    lab.order({ fail: { function: 'send', at: 'direct.deliver', how: 'lost', times: Number.MAX_SAFE_INTEGER } });
    const traffic = new Traffic(devices, [conversationId], 100);
    await wait(500);
    const key = Buffer.from(`${run.workspaceId}/${conversationId}`);
    const canary = 'canary-in-a-poisoned-record';
    const poison = [
      Buffer.from(`no JSON ${canary}`),
      Buffer.from('null'),
      Buffer.from(JSON.stringify({ v: 2, type: 'entry', text: canary })),
      Buffer.from(JSON.stringify({ v: 1, type: 'unknown', text: canary })),
      Buffer.from(JSON.stringify({ v: 1, type: 'entry', text: canary })),
      Buffer.from(JSON.stringify({ v: 1, type: 'receipt', conversation: 7, event: canary })),
      Buffer.alloc(LARGE_BYTES, 'x'),
      Buffer.from([0xff, 0xfe, 0x00]),
      // Of another workspace, and of an entry that does not belong to its recipients.
      Buffer.from(JSON.stringify(forged(`w-other/${conversationId}`, conversationId))),
      Buffer.from(JSON.stringify(forged(`${run.workspaceId}/${conversationId}`, 'g_another'))),
    ];
    for (const value of poison) await lab.stream.produce(TOPIC, [{ key, value }]);
    const misplaced = forged(key.toString(), conversationId);
    await lab.stream.produce(TOPIC, [
      { key: Buffer.from('w-other/g_x'), value: Buffer.from(JSON.stringify(misplaced)) },
    ]);
    // Without a value: a tombstone, which no producer of Parley writes.
    await lab.stream.produce(TOPIC, [{ key }]);
    await wait(1_500);
    await traffic.stop();
    const wanted = poison.length + 2;
    const parked = async () => (await lab.stream.parked()).slice(before);
    await until(async () => (await parked()).length >= wanted, 'all of them are parked').catch(() => undefined);
    const found = await parked();
    const places = new Set(found.map(({ partition, offset }) => `${partition} ${offset}`));
    run.expect(
      found.length === wanted && places.size === wanted,
      `${found.length} were parked, at ${places.size} places, of ${wanted}`,
    );
    const told = run.history.operations.filter(({ value }) => 'text' in value && value.text === FORGED);
    run.expect(told.length === 0, `${told.length} devices were told of a forged entry`);
    run.expect(!JSON.stringify(found).includes(canary), 'what was said in a record was parked with it');
  },
};
