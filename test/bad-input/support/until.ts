/** Waits for a condition; the limit is there only to fail with a name instead of hanging. */
export async function until(condition: () => boolean, what: string, limitMs = 10_000): Promise<void> {
  const endMs = Date.now() + limitMs;
  while (!condition()) {
    if (Date.now() > endMs) throw new Error(`never came true: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}
