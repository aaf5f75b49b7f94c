import type { InvokeResult } from '../../local/lambda/result.ts';
import { processBatch, type BatchWork } from '../../local/sources/batches.ts';

const RULES = { retriesMax: 2, recordAgeMaxMs: -1, bisect: false, reportsItemFailures: false };
const OK: InvokeResult = { payload: 'null', failed: false };
const FAILED: InvokeResult = { payload: '{}', failed: true };

/** Records what is invoked and given up. `answer` tells how the function takes each batch. */
function watch(answer: (records: readonly number[], invocation: number) => InvokeResult) {
  const invoked: number[][] = [];
  const given: { records: number[]; condition: string; invocations: number }[] = [];
  const work: BatchWork<number> = {
    invoke: (records) => {
      invoked.push([...records]);
      return Promise.resolve(answer(records, invoked.length));
    },
    writtenAtMs: () => Date.now(),
    failedIn: (records, payload) => records.filter((record) => (payload as number[]).includes(record)),
    giveUp: (records, condition, invocations) => {
      given.push({ records: [...records], condition, invocations });
      return Promise.resolve();
    },
    signal: new AbortController().signal,
  };
  return { invoked, given, work };
}

describe('a batch', () => {
  it('that succeeds is invoked once', async () => {
    const { invoked, given, work } = watch(() => OK);
    await processBatch([1, 2], RULES, work);
    expect({ invoked, given }).toEqual({ invoked: [[1, 2]], given: [] });
  });

  it('that fails is tried again as a whole', async () => {
    const { invoked, given, work } = watch((_, invocation) => (invocation < 3 ? FAILED : OK));
    await processBatch([1, 2], RULES, work);
    expect({ invoked, given }).toEqual({
      invoked: [
        [1, 2],
        [1, 2],
        [1, 2],
      ],
      given: [],
    });
  });

  it('that fails once too often is given up', async () => {
    const { invoked, given, work } = watch(() => FAILED);
    await processBatch([1, 2], RULES, work);
    expect(invoked).toHaveLength(3);
    expect(given).toEqual([{ records: [1, 2], condition: 'RetryAttemptsExhausted', invocations: 3 }]);
  });

  it('is halved where the mapping says so, until the poison is alone', async () => {
    const { given, work } = watch((records) => (records.includes(3) ? FAILED : OK));
    await processBatch([1, 2, 3, 4], { ...RULES, retriesMax: 4, bisect: true }, work);
    expect(given.map(({ records }) => records)).toEqual([[3]]);
  });

  it('goes on with the records that the function names', async () => {
    const { invoked, given, work } = watch((_, invocation) => ({
      payload: JSON.stringify(invocation === 1 ? [2, 3] : []),
      failed: false,
    }));
    await processBatch([1, 2, 3], { ...RULES, reportsItemFailures: true }, work);
    expect({ invoked, given }).toEqual({
      invoked: [
        [1, 2, 3],
        [2, 3],
      ],
      given: [],
    });
  });

  it('loses the records that are too old, and only those', async () => {
    const { invoked, given, work } = watch(() => OK);
    const old = { ...work, writtenAtMs: (record: number) => (record === 1 ? 0 : Date.now()) };
    await processBatch([1, 2], { ...RULES, recordAgeMaxMs: 60_000 }, old);
    expect(given).toEqual([{ records: [1], condition: 'EventAgeExceeded', invocations: 0 }]);
    expect(invoked).toEqual([[2]]);
  });

  it('that cannot be invoked at all counts as failed', async () => {
    const { given, work } = watch(() => OK);
    await processBatch(
      [1],
      { ...RULES, retriesMax: 0 },
      { ...work, invoke: () => Promise.reject(new Error('throttled')) },
    );
    expect(given).toHaveLength(1);
  });

  it('is left as it is when the runtime ends', async () => {
    const ending = new AbortController();
    const { given, work } = watch(() => FAILED);
    const processed = processBatch([1], { ...RULES, retriesMax: -1 }, { ...work, signal: ending.signal });
    ending.abort();
    await expect(processed).rejects.toThrow();
    expect(given).toEqual([]);
  });
});
