import type { EntryId } from '@parley/protocol';
import type { ConversationKey } from '../../runtime/keys.ts';

/** One row of the log, under `((conversation), id DESC)`. */
export interface LogRow {
  readonly conversation: ConversationKey;
  readonly id: EntryId;
  readonly seq: number;
  readonly kind: 'message' | 'void';
  /** Absent in a void row. */
  readonly senderId?: string;
  readonly deviceId?: string;
  readonly clientMessageId?: string;
  /** Opaque to the log: the JSON of what the kind carries beyond the columns above. */
  readonly body?: string;
  readonly sentAtMs: number;
  /** Readers never see the row from here on. */
  readonly expiresAtMs: number;
}

export type Insertion = { readonly applied: true } | { readonly applied: false; readonly existing: LogRow };

/** The entries of every conversation. Every implementation must pass `describeMessageLog`. */
export interface MessageLog {
  /**
   * Stores the row unless one stands at its id, at LOCAL_QUORUM. Of any number of attempts on one id just one applies,
   * and all others see that one row: it decides, no clock does.
   * @throws {Unavailable} unknown whether it was stored; repeat with the same row.
   */
  insertIfAbsent(row: LogRow): Promise<Insertion>;
  /** The row at an id. */
  get(conversation: ConversationKey, id: EntryId): Promise<LogRow | undefined>;
  /** Rows with `id > after`, oldest first, at most `limit` (1 to 500). Empty for an unknown conversation. */
  after(conversation: ConversationKey, after: EntryId, limit: number): Promise<LogRow[]>;
  /** Rows with `id < before` (all without it), newest first, at most `limit` (1 to 500). */
  before(conversation: ConversationKey, before: EntryId | undefined, limit: number): Promise<LogRow[]>;
}
