import { setTimeout as sleep } from 'node:timers/promises';
import { Unavailable } from '../../../lambdas/ports/unavailable.ts';

const LIMIT_MS = 20_000;

/** Calls until the engine is there again. */
export async function retry<T>(call: () => Promise<T>): Promise<T> {
  const endMs = Date.now() + LIMIT_MS;
  for (;;) {
    try {
      return await call();
    } catch (error) {
      if (!(error instanceof Unavailable) || Date.now() > endMs) throw error;
      await sleep(20);
    }
  }
}
