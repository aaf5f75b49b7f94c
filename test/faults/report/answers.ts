import type { Operation } from '../history/history.ts';
import { faultWindows, operationsOf } from '../history/questions.ts';

export interface Answers {
  readonly count: number;
  readonly p99Ms: number;
}

/** How long senders waited for their answers: those asked while a fault was there, beside those asked while none was. */
export function answersOf(history: readonly Operation[]): { readonly healthy: Answers; readonly faulty: Answers } {
  const windows = faultWindows(history);
  const invoked = new Map(
    operationsOf(history, 'send', 'invoke').map(({ process, value, atMs }) => [`${process} ${value.key}`, atMs]),
  );
  const waits: Record<'healthy' | 'faulty', number[]> = { healthy: [], faulty: [] };
  for (const { process, value, atMs } of operationsOf(history, 'send', 'ok')) {
    const askedAtMs = invoked.get(`${process} ${value.key}`);
    if (askedAtMs === undefined) continue;
    const isFaulty = windows.some(({ fromMs, toMs }) => askedAtMs >= fromMs && askedAtMs <= toMs);
    waits[isFaulty ? 'faulty' : 'healthy'].push(atMs - askedAtMs);
  }
  return { healthy: summaryOf(waits.healthy), faulty: summaryOf(waits.faulty) };
}

function summaryOf(waits: readonly number[]): Answers {
  const sorted = [...waits].sort((a, b) => a - b);
  return { count: sorted.length, p99Ms: sorted[Math.ceil(sorted.length * 0.99) - 1] ?? 0 };
}
