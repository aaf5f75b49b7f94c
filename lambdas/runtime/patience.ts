import { Unavailable } from '../ports/unavailable.ts';

/** After a call without an answer the next ones do not wait for one. */
const PAUSE_MS = 2_000;

/** Calls to a server that may hang, and that its callers can do without: one of them waits for it, and not all that come after. */
export class Patience {
  private pausedUntilMs = -Infinity;

  constructor(
    private readonly server: string,
    private readonly now: () => number = Date.now,
  ) {}

  /** @throws {Unavailable} a refusal, no answer within `limitMs`, or none to a call of the last two seconds */
  async wait<T>(limitMs: number, call: () => Promise<T>): Promise<T> {
    if (this.now() < this.pausedUntilMs) throw new Unavailable(`${this.server}: did not answer just now`);
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => {
        this.pausedUntilMs = this.now() + PAUSE_MS;
        reject(new Error(`no answer within ${limitMs} ms`));
      }, limitMs);
    });
    try {
      return await Promise.race([call(), late]);
    } catch (error) {
      throw new Unavailable(`${this.server}: ${(error as Error).message}`, { cause: error });
    } finally {
      clearTimeout(timer);
    }
  }
}
