import { setTimeout as wait } from 'node:timers/promises';
import { Traffic } from '../harness/traffic.ts';
import type { Fault } from './fault.ts';

const TEXT = 'x'.repeat(16_000);
/** The buffers of two networks and the gateway take some megabytes before anybody notices. */
const FLOODERS = ['a', 'b', 'c', 'd', 'e', 'f'];
const DROPPED_WITHIN_MS = 60_000;
/** Two cores carry the flood, too. */
const MEDIAN_MAX_MS = 1_000;

export const R14: Fault = {
  id: 'R-14',
  title: '@connections answers 429 and 500, and one client hardly reads',
  hypothesis: 'Posts are tried again a few times; a client that does not read is dropped, and nobody waits for it.',
  schedule:
    'People write; one post in three is answered 429 or 500 for 4 s; then one member reads 1 KB a second of a flood of 16 KB messages.',
  asserts: 'The slow one is dropped; the median of the others stays below a second meanwhile.',
  async run(run, lab) {
    const devices = [await run.sdk('ana'), await run.sdk('ben')];
    await run.raw('cleo', 'there');
    await run.raw('dan', 'there');
    const conversationId = await run.group('ana', 'ben', 'cleo', 'dan');
    let traffic = new Traffic(devices, [conversationId], 120);
    const end = run.history.begin('posts fail');
    lab.seams.management = (method) => {
      if (method !== 'POST' || run.random.next() > 1 / 3) return undefined;
      return run.random.pick([429, 500]);
    };
    await wait(4_000);
    lab.seams.management = undefined;
    end();
    await traffic.stop();
    // Opened now: a connection of which three posts in a row were answered 429 has been dropped as slow.
    const slow = await run.raw('cleo', 'slow');
    const endSlow = run.history.begin('a slow reader');
    slow.network.set('toClient', { bytesPerSecond: 1_000 });
    const fromMs = Date.now();
    lab.lines.length = 0;
    traffic = new Traffic(devices, [conversationId], 500);
    const isDropped = (): boolean => lab.lines.some((line) => line.includes('dropped a slow connection'));
    const flood = FLOODERS.map(async (device) => {
      const flooder = await run.raw('dan', device);
      while (!isDropped() && Date.now() - fromMs < DROPPED_WITHIN_MS) await flooder.send(conversationId, TEXT);
    });
    await Promise.all(flood);
    run.expect(isDropped(), 'the slow one was not dropped');
    await traffic.stop();
    endSlow();
    const others = deliveriesSince(fromMs);
    const median = others.sort((a, b) => a - b)[Math.floor(others.length / 2)] ?? Infinity;
    run.expect(median < MEDIAN_MAX_MS, `the median of the others was ${median} ms`);
    await slow.vanish();

    function deliveriesSince(sinceMs: number): number[] {
      const shown = run.history.operations.filter(
        ({ f, type, atMs }) => f === 'send' && type === 'invoke' && atMs >= sinceMs,
      );
      const sentAtMs = new Map(shown.map(({ value, atMs }) => ['key' in value ? value.key : '', atMs]));
      return run.history.operations.flatMap(({ f, process, value, atMs }) => {
        const sent = f === 'show' && process === 'ben/phone' && 'key' in value ? sentAtMs.get(value.key) : undefined;
        return sent === undefined ? [] : [atMs - sent];
      });
    }
  },
};
