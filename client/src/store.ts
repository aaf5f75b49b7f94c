import type { Conversation, Cursor, Entry, Receipt } from '@parley/protocol';
import { toParleyError, type ErrorFields, type ParleyError } from './errors.ts';
import type { Timers } from './timers.ts';
import type { Content, Storage, StorageChange } from './types.ts';

export interface StoredDevice {
  readonly deviceId: string;
  /** Whose state was last shown here. */
  readonly userId?: string;
}

export interface StoredConversation {
  readonly info: Conversation;
  /** Never ahead of the stored entries: both are written in one batch. */
  readonly cursor: Cursor;
  readonly headSeq: number;
  readonly bottom?: number;
  readonly deliveredSeq: number;
  readonly readSeq: number;
  readonly receipts: readonly Receipt[];
  /** See `ConversationView.gone`. */
  readonly gone?: boolean;
}

export interface StoredSend {
  readonly key: string;
  readonly conversationId: string;
  readonly content: Content;
  readonly replyToId?: string;
  readonly mentions?: readonly string[];
  readonly createdAtMs: number;
  /** Breaks ties of `createdAtMs`. */
  readonly place: number;
  /** Why the server refused it for good. */
  readonly failure?: ErrorFields;
}

const SEQ_DIGITS = 16;
/** After a failed write, the same changes are tried again after this time. */
const RETRY_MS = 5_000;

/**
 * The keys of one user's state, and the writes to it. Changes that are made in one turn of the event loop land in one atomic
 * batch; batches are written one after another, and a failed one is kept and goes with the next.
 */
export class Store {
  private changes = new Map<string, () => StorageChange>();
  private writing: Promise<void> = Promise.resolve();
  private scheduled: Promise<void> | undefined;
  private prefix = '';

  constructor(
    private storage: Storage,
    private readonly timers: Timers,
    private readonly failed: (error: ParleyError) => void,
  ) {}

  /** Takes another storage for one that cannot even be read. */
  replace(storage: Storage): void {
    this.storage = storage;
  }

  /** Frees the storage once everything is written that can be. */
  async close(): Promise<void> {
    await this.flush().catch(() => undefined);
    this.storage.close();
  }

  async device(): Promise<StoredDevice | undefined> {
    return (await this.storage.get('device')) as StoredDevice | undefined;
  }

  setDevice(device: StoredDevice): Promise<void> {
    return this.storage.write([{ put: 'device', value: device }]);
  }

  /** All keys from now on belong to this user. Whatever was changed for the one before is written first. */
  async useUser(userId: string): Promise<void> {
    await this.flush().catch(() => undefined);
    this.prefix = `u/${userId}/`;
  }

  async conversations(): Promise<StoredConversation[]> {
    return (await this.values('c/')) as StoredConversation[];
  }

  /** By `logKey`, oldest first. */
  async entries(): Promise<Map<string, Entry[]>> {
    const logs = new Map<string, Entry[]>();
    for (const [key, value] of await this.storage.list(`${this.prefix}e/`)) {
      const log = key.slice(this.prefix.length + 2, -SEQ_DIGITS - 1);
      const entries = logs.get(log);
      if (entries) entries.push(value as Entry);
      else logs.set(log, [value as Entry]);
    }
    return logs;
  }

  async sends(): Promise<StoredSend[]> {
    const sends = (await this.values('o/')) as StoredSend[];
    return sends.sort((a, b) => a.createdAtMs - b.createdAtMs || a.place - b.place);
  }

  /** `read` is called when the batch is written, so it sees everything that happened in the same turn. */
  putConversation(conversationId: string, read: () => StoredConversation): void {
    this.put(`c/${conversationId}`, read);
  }

  putEntry(epoch: number, entry: Entry): void {
    this.put(entryKey(entry.conversationId, epoch, entry.seq), () => entry);
  }

  deleteEntry(conversationId: string, epoch: number, seq: number): void {
    this.delete(entryKey(conversationId, epoch, seq));
  }

  deleteConversation(conversationId: string): void {
    this.delete(`c/${conversationId}`);
  }

  putSend(send: StoredSend): void {
    this.put(`o/${send.key}`, () => send);
  }

  deleteSend(key: string): void {
    this.delete(`o/${key}`);
  }

  /** Resolves when all changes made so far are durable. */
  flush(): Promise<void> {
    if (this.scheduled) return this.scheduled;
    if (this.changes.size === 0) return this.writing;
    const scheduled = this.writing
      .catch(() => undefined)
      .then(() => {
        this.scheduled = undefined;
        this.writing = this.write();
        return this.writing;
      });
    this.scheduled = scheduled;
    return scheduled;
  }

  private put(key: string, read: () => unknown): void {
    const put = this.prefix + key;
    this.change(put, () => ({ put, value: read() }));
  }

  private delete(key: string): void {
    const full = this.prefix + key;
    this.change(full, () => ({ delete: full }));
  }

  private change(key: string, change: () => StorageChange): void {
    this.changes.set(key, change);
    void this.flush().catch(() => undefined);
  }

  private async write(): Promise<void> {
    const changes = this.changes;
    this.changes = new Map();
    try {
      await this.storage.write([...changes.values()].map((change) => change()));
    } catch (error) {
      // Newer changes of the same key win; the rest must not be lost, or a later cursor would stand ahead of its entries.
      this.changes = new Map([...changes, ...this.changes]);
      this.timers.after(RETRY_MS, () => void this.flush().catch(() => undefined));
      const failure = toParleyError(error, 'STORAGE_FAILED');
      this.failed(failure);
      throw failure;
    }
  }

  private async values(prefix: string): Promise<unknown[]> {
    return (await this.storage.list(this.prefix + prefix)).map(([, value]) => value);
  }
}

/** Names the log of one conversation in one epoch. */
export function logKey(conversationId: string, epoch: number): string {
  return `${conversationId}/${epoch}`;
}

function entryKey(conversationId: string, epoch: number, seq: number): string {
  return `e/${logKey(conversationId, epoch)}/${String(seq).padStart(SEQ_DIGITS, '0')}`;
}
