import { localError } from './errors.ts';
import type { Storage } from './types.ts';

const STORE = 'values';
/** Sorts after every character that keys are made of. */
const LAST = '\uffff';

/**
 * Keeps values in the IndexedDB database `name`, in one object store; one `write` is one transaction.
 * The database is opened on first use, and again after the browser has closed it.
 */
export function indexedDbStorage(name: string): Storage {
  let database: Promise<IDBDatabase> | undefined;

  const open = (): Promise<IDBDatabase> =>
    (database ??= new Promise<IDBDatabase>((resolve, reject) => {
      const request = indexedDB.open(name, 1);
      request.onupgradeneeded = () => request.result.createObjectStore(STORE);
      request.onerror = () => reject(localError('STORAGE_FAILED', request.error));
      request.onsuccess = () => {
        const db = request.result;
        const forget = (): void => {
          database = undefined;
        };
        db.onclose = forget;
        // Another tab deletes the database: let it.
        db.onversionchange = () => {
          forget();
          db.close();
        };
        resolve(db);
      };
    }).catch((error: unknown) => {
      database = undefined;
      throw error;
    }));

  /** Runs `work` in one transaction; resolves with the result of the request it returns once all of it is durable. */
  const transact = async <T>(
    mode: IDBTransactionMode,
    work: (store: IDBObjectStore) => IDBRequest<T> | undefined,
  ): Promise<T | undefined> => {
    const db = await open();
    return new Promise((resolve, reject) => {
      const transaction = db.transaction(STORE, mode, { durability: mode === 'readwrite' ? 'strict' : 'default' });
      const fail = (): void => reject(localError('STORAGE_FAILED', transaction.error));
      transaction.onabort = fail;
      transaction.onerror = fail;
      try {
        const request = work(transaction.objectStore(STORE));
        transaction.oncomplete = () => resolve(request?.result);
      } catch (error) {
        transaction.abort();
        reject(localError('STORAGE_FAILED', error));
      }
    });
  };

  return {
    get: (key) => transact('readonly', (store) => store.get(key) as IDBRequest<unknown>),
    async list(prefix) {
      const range = IDBKeyRange.bound(prefix, prefix + LAST);
      const pairs: [string, unknown][] = [];
      await transact('readonly', (store) => {
        const keys = store.getAllKeys(range);
        const values = store.getAll(range);
        values.onsuccess = () => {
          keys.result.forEach((key, i) => pairs.push([key as string, (values.result as unknown[])[i]]));
        };
        return undefined;
      });
      return pairs;
    },
    async write(changes) {
      await transact('readwrite', (store) => {
        for (const change of changes) {
          if ('put' in change) store.put(change.value, change.put);
          else store.delete(change.delete);
        }
        return undefined;
      });
    },
    close() {
      void database?.then(
        (db) => db.close(),
        () => undefined,
      );
      database = undefined;
    },
  };
}
