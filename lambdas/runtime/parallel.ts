/** Runs `work` on every item, at most `inFlightMax` at once. Rejects with the first failure, after all that were under way have ended. */
export async function forEachParallel<T>(
  items: Iterable<T>,
  inFlightMax: number,
  work: (item: T) => Promise<void>,
): Promise<void> {
  const iterator = items[Symbol.iterator]();
  const runner = async (): Promise<void> => {
    for (let next = iterator.next(); !next.done; next = iterator.next()) await work(next.value);
  };
  const results = await Promise.allSettled(Array.from({ length: inFlightMax }, runner));
  for (const result of results) if (result.status === 'rejected') throw result.reason;
}
