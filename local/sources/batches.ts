import { setTimeout as wait } from 'node:timers/promises';
import type { MappingDefinition } from '../assembly/mappings.ts';
import type { InvokeResult } from '../lambda/result.ts';

/** What a batch is processed with. */
export interface BatchWork<R> {
  /** Runs the function on these records. */
  invoke(records: readonly R[]): Promise<InvokeResult>;
  /** When the record was written, in ms since the Unix epoch. */
  writtenAtMs(record: R): number;
  /** The records that must be tried again, from what the function answered; all of them when its answer makes no sense. */
  failedIn(records: readonly R[], answer: unknown): readonly R[];
  /** Puts aside what is given up, and resolves when it lies there. */
  giveUp(
    records: readonly R[],
    condition: 'RetryAttemptsExhausted' | 'EventAgeExceeded',
    invocations: number,
  ): Promise<void>;
  readonly signal: AbortSignal;
}

type Rules = Pick<MappingDefinition, 'retriesMax' | 'recordAgeMaxMs' | 'bisect' | 'reportsItemFailures'>;

const BACKOFF_MIN_MS = 100;
const BACKOFF_MAX_MS = 2_000;

/**
 * Runs a function on one batch until every record is processed or given up, by the rules of the mapping. Rejects only when it is aborted: then
 * nothing may be said of the batch.
 */
export async function processBatch<R>(records: readonly R[], rules: Rules, work: BatchWork<R>): Promise<void> {
  let left = records;
  for (let invocations = 1; left.length > 0; invocations++) {
    const fresh =
      rules.recordAgeMaxMs < 0
        ? left
        : left.filter((record) => Date.now() - work.writtenAtMs(record) <= rules.recordAgeMaxMs);
    if (fresh.length < left.length) {
      await work.giveUp(
        left.filter((record) => !fresh.includes(record)),
        'EventAgeExceeded',
        invocations - 1,
      );
      left = fresh;
      continue;
    }
    const result = await work
      .invoke(left)
      .catch((error: unknown): InvokeResult => ({ payload: JSON.stringify(String(error)), failed: true }));
    if (!result.failed) {
      if (!rules.reportsItemFailures) return;
      left = work.failedIn(left, JSON.parse(result.payload));
      if (left.length === 0) return;
    }
    if (rules.retriesMax >= 0 && invocations > rules.retriesMax) {
      await work.giveUp(left, 'RetryAttemptsExhausted', invocations);
      return;
    }
    const pauseMs = Math.min(BACKOFF_MIN_MS * 2 ** (invocations - 1), BACKOFF_MAX_MS);
    await wait(pauseMs, undefined, { signal: work.signal });
    if (result.failed && rules.bisect && left.length > 1) {
      const half = Math.ceil(left.length / 2);
      const rest = { ...rules, retriesMax: rules.retriesMax < 0 ? -1 : rules.retriesMax - invocations };
      await processBatch(left.slice(0, half), rest, work);
      left = left.slice(half);
    }
  }
}
