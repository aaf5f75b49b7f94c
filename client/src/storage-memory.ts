import type { Storage } from './types.ts';

/** Keeps everything until the process or the page ends. Hand the same one to a second client to play a reload. */
export function memoryStorage(): Storage {
  const values = new Map<string, unknown>();
  return {
    get: (key) => Promise.resolve(structuredClone(values.get(key))),
    list: (prefix) =>
      Promise.resolve(
        [...values]
          .filter(([key]) => key.startsWith(prefix))
          .sort(([a], [b]) => (a < b ? -1 : 1))
          .map(([key, value]) => [key, structuredClone(value)]),
      ),
    write(changes) {
      // Cloned first: a value that cannot be cloned must leave nothing behind.
      const cloned = structuredClone(changes);
      for (const change of cloned) {
        if ('put' in change) values.set(change.put, change.value);
        else values.delete(change.delete);
      }
      return Promise.resolve();
    },
    close: () => undefined,
  };
}
