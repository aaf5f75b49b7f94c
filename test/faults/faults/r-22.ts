import { setTimeout as wait } from 'node:timers/promises';
import type { Run } from '../harness/run.ts';
import { Traffic } from '../harness/traffic.ts';
import type { Fault } from './fault.ts';

const FLOODERS = 8;
const FLOOD_MS = 6_000;
const CALM_MS = 4_000;
/** Less often than it is answered: how long an outbox is counts for nothing here. */
const EVERY_MS = 500;
/** Two cores serve everybody here. */
const MEDIAN_MAX_MS = 1_000;

export const R22: Fault = {
  id: 'R-22',
  title: 'One conversation is hot',
  hypothesis: 'Its order is kept, and what is too much is refused and said so; the others hardly notice.',
  schedule: `${FLOODERS} sockets write into one conversation as fast as they are answered, for ${FLOOD_MS / 1_000} s; two people write elsewhere before and during it.`,
  asserts:
    'Everything is answered, or refused with RATE_LIMITED or UNAVAILABLE; the median elsewhere stays below one second, or ten times the calm one.',
  async run(run) {
    const [ana, ben] = [await run.sdk('ana'), await run.sdk('ben')];
    await run.sdk('hot');
    const hot = await run.group('hot', 'ana');
    const cool = await run.group('ana', 'ben');
    const traffic = new Traffic([ana, ben], [cool], EVERY_MS);
    await wait(CALM_MS);
    const calm = medianOf(run, cool, 0);
    const sockets = [];
    for (let i = 0; i < FLOODERS; i++) sockets.push(await run.raw('hot', `flood-${i}`));
    const end = run.history.begin('one conversation is hot');
    const floodAtMs = Date.now();
    let refused = 0;
    let wrong = '';
    await Promise.all(
      sockets.map(async (socket) => {
        for (let i = 0; Date.now() - floodAtMs < FLOOD_MS; i++) {
          const answer = await socket.send(hot, `${socket.process} ${i}`);
          if (answer.outcome === 'ok') continue;
          refused++;
          if (!['RATE_LIMITED', 'UNAVAILABLE'].includes(answer.code)) wrong = answer.code;
          await wait(50);
        }
      }),
    );
    const during = medianOf(run, cool, floodAtMs);
    await traffic.stop();
    end();
    for (const socket of sockets) await socket.vanish();
    run.expect(wrong === '', `a send was refused with ${wrong}`);
    run.expect(
      during <= Math.max(MEDIAN_MAX_MS, 10 * calm),
      `elsewhere the median went from ${calm} to ${during} ms (${refused} refused)`,
    );
  },
};

/** From the wish to send until the others show it, for what was sent from that moment on. */
function medianOf({ history }: Run, conversationId: string, fromMs: number): number {
  const sentAtMs = new Map<string, number>();
  const tookMs: number[] = [];
  for (const { f, type, process, value, atMs } of history.operations) {
    if (!('conversationId' in value) || value.conversationId !== conversationId || !('key' in value)) continue;
    const { key = '' } = value;
    if (f === 'send' && type === 'invoke' && atMs >= fromMs) sentAtMs.set(key, atMs);
    const sent = sentAtMs.get(key);
    if (f === 'show' && process === 'ben/phone' && sent !== undefined) tookMs.push(atMs - sent);
  }
  return tookMs.sort((a, b) => a - b)[Math.floor(tookMs.length / 2)] ?? Infinity;
}
