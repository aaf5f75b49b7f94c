import type { Clock } from './types.ts';

/** All timers of one client, so that closing it ends every one. */
export class Timers {
  private readonly cancels = new Set<() => void>();
  private ended = false;

  constructor(private readonly clock: Clock) {}

  /** Runs `run` once after `afterMs`, unless the returned function is called before or the client closes. */
  after(afterMs: number, run: () => void): () => void {
    return this.start(afterMs, run, () => undefined);
  }

  /** Resolves after `afterMs`, or as soon as the client closes. */
  sleep(afterMs: number): Promise<void> {
    return new Promise((resolve) => this.start(afterMs, resolve, resolve));
  }

  /** Ends all timers, also those that are asked for later. */
  end(): void {
    this.ended = true;
    for (const cancel of this.cancels) cancel();
  }

  private start(afterMs: number, run: () => void, cancelled: () => void): () => void {
    if (this.ended) {
      cancelled();
      return () => undefined;
    }
    const handle = this.clock.setTimeout(() => {
      this.cancels.delete(cancel);
      run();
    }, afterMs);
    const cancel = (): void => {
      if (!this.cancels.delete(cancel)) return;
      this.clock.clearTimeout(handle);
      cancelled();
    };
    this.cancels.add(cancel);
    return cancel;
  }
}
