import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';

/** What a suite needs of an implementation. */
export interface Opened<P> {
  readonly port: P;
  readonly clock: ContractClock;
  close(): Promise<void>;
}

/** The time that an implementation goes by. */
export interface ContractClock {
  /** Ms since the Unix epoch. */
  readonly now: () => number;
  /** Returns once so much time has passed. */
  pass(ms: number): Promise<void>;
}

export interface ContractOptions {
  /** Time stands still but for `clock.pass`: moments can be tested to the millisecond. */
  readonly exactTime: boolean;
}

/** For implementations that take a clock. */
export class ManualClock implements ContractClock {
  private ms = Date.now();

  readonly now = (): number => this.ms;

  pass(ms: number): Promise<void> {
    this.ms += ms;
    return Promise.resolve();
  }
}

/** For engines with a time of their own. */
export class WallClock implements ContractClock {
  readonly now = (): number => Date.now();

  async pass(ms: number): Promise<void> {
    const end = Date.now() + ms;
    while (Date.now() <= end) await sleep(end - Date.now() + 1);
  }
}

/** Long enough for an engine's own clock not to overtake a test, short enough to be waited for. */
export const TTL_MS = 2_000;

/** A part of a key that no other test uses: engines are not emptied between tests. */
export function unique(prefix = 'k'): string {
  return `${prefix}${randomUUID().replaceAll('-', '')}`;
}

/** Opens the implementation once for the tests of a suite. */
export function opened<P>(open: () => Promise<Opened<P>>): { readonly port: P; readonly clock: ContractClock } {
  // Engines answer more slowly than memory, and some tests wait for `TTL_MS`.
  jest.setTimeout(60_000);
  let current: Opened<P> | undefined;
  const get = (): Opened<P> => {
    if (!current) throw new Error('opened before the first test only');
    return current;
  };
  beforeAll(async () => {
    current = await open();
  });
  afterAll(() => current?.close());
  return {
    get port() {
      return get().port;
    },
    get clock() {
      return get().clock;
    },
  };
}

export function times<T>(count: number, make: (i: number) => T): T[] {
  return Array.from({ length: count }, (_, i) => make(i));
}

/** Waits for a condition; the limit is there only to fail with a name instead of hanging. */
export async function until(condition: () => boolean, limitMs = 20_000): Promise<void> {
  const endMs = Date.now() + limitMs;
  while (!condition()) {
    if (Date.now() > endMs) throw new Error(`Never came true: ${condition.toString()}`);
    await sleep(2);
  }
}
