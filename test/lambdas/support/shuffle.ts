import type { Services } from '../../../lambdas/runtime/services.ts';
import { intercept } from './intercept.ts';

/** Numbers from 0 to 1 that follow from a seed (mulberry32). */
export function randomFrom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t = (t + Math.imul(t ^ (t >>> 7), t | 61)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/**
 * Lets several processes run side by side in an order that follows from a seed: every port call waits for its turn before it takes
 * effect, and its answer waits for another turn.
 */
export class Shuffle {
  private readonly waiting: (() => void)[] = [];
  private readonly random: () => number;
  private pumping = false;

  constructor(seed: number) {
    this.random = randomFrom(seed);
  }

  wrap(services: Services): Services {
    return intercept(services, async ({ proceed }) => {
      await this.turn();
      try {
        return await proceed();
      } finally {
        await this.turn();
      }
    });
  }

  private turn(): Promise<void> {
    return new Promise((resolve) => {
      this.waiting.push(resolve);
      if (!this.pumping) this.pump();
    });
  }

  /** One turn per macrotask: whoever it was given to has run as far as it could by the next. */
  private pump(): void {
    this.pumping = true;
    setImmediate(() => {
      const [next] = this.waiting.splice(Math.floor(this.random() * this.waiting.length), 1);
      next?.();
      if (this.waiting.length > 0) this.pump();
      else this.pumping = false;
    });
  }
}
