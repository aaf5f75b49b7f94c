import { WebSocket } from 'ws';
import { memoryStorage, ParleyClient, type ClientOptions, type Clock } from '../src/index.ts';
import { FakeServer } from './fake-server.ts';

const PATIENCE_MS = 10_000;

/** Resolves as soon as `condition` holds; fails when it does not come to hold. */
export async function until(condition: () => boolean, what = condition.toString()): Promise<void> {
  const deadline = Date.now() + PATIENCE_MS;
  while (!condition()) {
    if (Date.now() > deadline) throw new Error(`Waited in vain: ${what}`);
    await new Promise((resolve) => setImmediate(resolve));
  }
}

/** Short waits, so that tests of what happens need not wait for when it happens. */
const QUICK = { backoffMinMs: 1, backoffMaxMs: 5, reconnectSpreadMs: 2, gapGraceMs: 2, receiptDebounceMs: 2 };

/** One fake server for each test, and clients that are closed after it. */
export function useFakeServer() {
  const context = {
    server: undefined as unknown as FakeServer,
    clients: [] as ParleyClient[],
    make(userId: string, options: Partial<ClientOptions> = {}): ParleyClient {
      const client = new ParleyClient({
        url: context.server.url,
        token: () => userId,
        storage: memoryStorage(),
        webSocket: WebSocket,
        ...QUICK,
        ...options,
      });
      context.clients.push(client);
      return client;
    },
    async connect(userId: string, options: Partial<ClientOptions> = {}): Promise<ParleyClient> {
      const client = context.make(userId, options);
      await client.connect();
      return client;
    },
  };
  beforeEach(async () => {
    context.server = await FakeServer.start();
  });
  afterEach(async () => {
    await Promise.all(context.clients.splice(0).map((client) => client.close()));
    await context.server.close();
  });
  return context;
}

export function textsOf(client: ParleyClient, conversationId: string): string[] {
  return client.messages(conversationId).map((message) => message.text);
}

/** Time that moves only when told to. */
export class ManualClock implements Clock {
  nowMs = 1_700_000_000_000;
  chance = 0.5;
  private readonly timers = new Map<number, { atMs: number; run: () => void }>();
  private last = 0;

  now = (): number => this.nowMs;
  random = (): number => this.chance;

  setTimeout = (run: () => void, afterMs: number): number => {
    this.timers.set(++this.last, { atMs: this.nowMs + afterMs, run });
    return this.last;
  };

  clearTimeout = (handle: unknown): void => {
    this.timers.delete(handle as number);
  };

  get waiting(): number {
    return this.timers.size;
  }

  /** Runs all timers that end within `ms`, in their order. */
  advance(ms: number): void {
    const endMs = this.nowMs + ms;
    for (;;) {
      const due = [...this.timers]
        .filter(([, timer]) => timer.atMs <= endMs)
        .sort(([, a], [, b]) => a.atMs - b.atMs)[0];
      if (!due) break;
      const [handle, timer] = due;
      this.timers.delete(handle);
      this.nowMs = Math.max(this.nowMs, timer.atMs);
      timer.run();
    }
    this.nowMs = endMs;
  }
}
