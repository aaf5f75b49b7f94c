import { setTimeout as wait } from 'node:timers/promises';
import { Traffic } from '../harness/traffic.ts';
import { until } from '../harness/until.ts';
import type { Fault } from './fault.ts';

const TOPIC = 'conversation-events';
const LARGE_BYTES = 900_000;

export const R10: Fault = {
  id: 'R-10',
  title: 'Records that nobody understands',
  hypothesis: 'Each is parked once, without its body, and holds up nobody behind it.',
  schedule: 'Eight poisoned records between those of two people who write, without the direct path.',
  asserts: 'As many are parked as nobody can understand, each once; none of their text is in what is parked.',
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
    ];
    for (const value of poison) await lab.stream.produce(TOPIC, [{ key, value }]);
    // Without a value: a tombstone, which no producer of Parley writes.
    await lab.stream.produce(TOPIC, [{ key }]);
    await wait(1_500);
    await traffic.stop();
    const wanted = poison.length + 1;
    const parked = async () => (await lab.stream.parked()).slice(before);
    await until(async () => (await parked()).length >= wanted, 'all of them are parked').catch(() => undefined);
    const found = await parked();
    const places = new Set(found.map(({ partition, offset }) => `${partition} ${offset}`));
    run.expect(
      found.length === wanted && places.size === wanted,
      `${found.length} were parked, at ${places.size} places, of ${wanted}`,
    );
    run.expect(!JSON.stringify(found).includes(canary), 'what was said in a record was parked with it');
  },
};
