import { CACHE_KEYS } from '@parley/protocol/stores';
import { setTimeout as wait } from 'node:timers/promises';
import { LIMITS } from '@parley/protocol';
import { operationsOf } from '../history/questions.ts';
import type { Lab } from '../harness/lab.ts';
import type { Run } from '../harness/run.ts';
import { Traffic } from '../harness/traffic.ts';
import type { Fault } from './fault.ts';

/** So many that their own rates together exceed that of a conversation. */
const WRITERS = 8;
const FLOOD_MS = 6_000;
const CALM_MS = 4_000;
/** Less often than it is answered: how long an outbox is counts for nothing here. */
const EVERY_MS = 500;
/** Two cores serve everybody here. */
const MEDIAN_MAX_MS = 1_000;
const OTHERS_EVERY_MS = 500;
/** What this machine cannot send: others take so much of each interval. */
const OTHERS_SHARE = 0.7;

export const R22: Fault = {
  id: 'R-22',
  title: 'One conversation is hot',
  hypothesis: 'Its order is kept, and what is too much is refused and said so; the others hardly notice.',
  schedule: `${WRITERS} people write into one conversation as fast as they are answered, for ${FLOOD_MS / 1_000} s, while its tokens go as if it had ten times the traffic that it may have: this machine cannot send a thousand a second. Two people write elsewhere before and during it.`,
  asserts:
    'Some sends are answered and some refused, with RATE_LIMITED; elsewhere all are answered, and the median stays below one second, or ten times the calm one.',
  async run(run, lab) {
    const [ana, ben] = [await run.sdk('ana'), await run.sdk('ben')];
    const writers = Array.from({ length: WRITERS }, (_, i) => `writer${i}`);
    const sockets = [];
    for (const userId of writers) sockets.push(await run.raw(userId));
    const hot = await run.group('ana', ...writers);
    const cool = await run.group('ana', 'ben');
    const traffic = new Traffic([ana, ben], [cool], EVERY_MS);
    await wait(CALM_MS);
    const calm = medianOf(run, cool, 0);
    const end = run.history.begin('one conversation is hot');
    const floodAtMs = Date.now();
    const codes = new Map<string, number>();
    const isOver = (): boolean => Date.now() - floodAtMs >= FLOOD_MS;
    await Promise.all([
      takeTokens(lab, `${run.workspaceId}/${hot}`, isOver),
      ...sockets.map(async (socket) => {
        for (let i = 0; !isOver(); i++) {
          const answer = await socket.send(hot, `${socket.process} ${i}`);
          const code = answer.outcome === 'ok' ? 'answered' : answer.code;
          codes.set(code, (codes.get(code) ?? 0) + 1);
          if (answer.outcome !== 'ok') await wait(50);
        }
      }),
    ]);
    const during = medianOf(run, cool, floodAtMs);
    await traffic.stop();
    end();
    const { answered = 0, RATE_LIMITED = 0, ...others } = Object.fromEntries(codes);
    run.expect(answered > 0 && RATE_LIMITED > 0, `${answered} were answered and ${RATE_LIMITED} refused`);
    run.expect(Object.keys(others).length === 0, `there were other answers: ${JSON.stringify(others)}`);
    const elsewhere = ofConversation(run, cool, floodAtMs);
    run.expect(elsewhere.ok > 0 && elsewhere.fail === 0, `elsewhere: ${JSON.stringify(elsewhere)}`);
    run.expect(during <= Math.max(MEDIAN_MAX_MS, 10 * calm), `elsewhere the median went from ${calm} to ${during} ms`);
    run.figure(
      `${answered} answered and ${RATE_LIMITED} refused in the hot one; elsewhere ${elsewhere.ok} answered, none refused, median ${calm} ms before and ${during} ms during it`,
    );
  },
};

/** As senders on other machines do: the bucket of the conversation stands in Valkey, for all of them. */
async function takeTokens({ engines }: Lab, conversation: string, isOver: () => boolean): Promise<void> {
  const owed = (OTHERS_EVERY_MS / 1_000) * OTHERS_SHARE * LIMITS.conversationEntriesPerSecond;
  while (!isOver()) {
    await engines.redis(`HSET ${CACHE_KEYS.rates}${conversation}:entries tokens ${-owed} at ${Date.now()}`);
    await wait(OTHERS_EVERY_MS);
  }
}

function ofConversation({ history }: Run, conversationId: string, fromMs: number): { ok: number; fail: number } {
  const count = (type: 'ok' | 'fail'): number =>
    operationsOf(history.operations, 'send', type).filter(
      ({ value, atMs }) => value.conversationId === conversationId && atMs >= fromMs,
    ).length;
  return { ok: count('ok'), fail: count('fail') };
}

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
