import type { ClientOptions, Clock, OnlineSignal, Storage } from './types.ts';
import { indexedDbStorage } from './storage-indexeddb.ts';
import { memoryStorage } from './storage-memory.ts';

export const systemClock: Clock = {
  now: () => Date.now(),
  random: () => Math.random(),
  setTimeout: (run, afterMs) => setTimeout(run, afterMs),
  clearTimeout: (handle) => clearTimeout(handle as number),
};

export type Settings = ReturnType<typeof resolveOptions>;

/** The options with their defaults; `ClientOptions` says what each of them means. */
export function resolveOptions(options: ClientOptions) {
  return {
    url: options.url,
    token: options.token,
    webSocket: options.webSocket,
    storage: options.storage ?? defaultStorage(options.url),
    onlineSignal: options.onlineSignal ?? defaultOnlineSignal(),
    clock: options.clock ?? systemClock,
    strict: options.strict ?? true,
    backoffMinMs: options.backoffMinMs ?? 250,
    backoffMaxMs: options.backoffMaxMs ?? 30_000,
    reconnectSpreadMs: options.reconnectSpreadMs ?? 6_000,
    requestTimeoutMs: options.requestTimeoutMs ?? 10_000,
    receiptDebounceMs: options.receiptDebounceMs ?? 2_000,
    gapGraceMs: options.gapGraceMs ?? 300,
    rotateBeforeMs: options.rotateBeforeMs ?? 300_000,
    storedEntriesMax: options.storedEntriesMax ?? 500,
    memoryEntriesMax: options.memoryEntriesMax ?? 5_000,
  };
}

function defaultStorage(url: string): Storage {
  return 'indexedDB' in globalThis ? indexedDbStorage(`parley ${url}`) : memoryStorage();
}

function defaultOnlineSignal(): OnlineSignal | undefined {
  const scope: object = globalThis;
  return 'addEventListener' in scope && 'removeEventListener' in scope ? (scope as OnlineSignal) : undefined;
}
