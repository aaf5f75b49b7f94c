import { setTimeout as wait } from 'node:timers/promises';

const POLL_MS = 50;
const WITHIN_MS = 30_000;

/** Resolves when it holds. @throws when it does not within that time */
export async function until(
  holds: () => boolean | Promise<boolean>,
  what: string,
  withinMs = WITHIN_MS,
): Promise<void> {
  const deadline = Date.now() + withinMs;
  while (!(await holds())) {
    if (Date.now() > deadline) throw new Error(`not within ${withinMs / 1_000} s: ${what}`);
    await wait(POLL_MS);
  }
}
