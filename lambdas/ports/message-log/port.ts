import type { EntryId } from '@parley/protocol';
import type { ConversationKey } from '../../runtime/keys.ts';

/** One row of the log, under `((conversation), id DESC)`. */
export interface LogRow {
  readonly conversation: ConversationKey;
  readonly id: EntryId;
  readonly seq: number;
  /** `deleted`: a message or an edit (then it has a target) whose body was deleted; it keeps its place. */
  readonly kind: 'message' | 'edit' | 'delete' | 'member' | 'deleted' | 'void';
  /** Absent in a void row. */
  readonly senderId?: string;
  readonly deviceId?: string;
  /** The client's key, whatever the kind. */
  readonly clientMessageId?: string;
  /** The message that an edit or a delete is about. */
  readonly targetId?: EntryId;
  /** Opaque to the log: the JSON of what the kind carries beyond the columns above. */
  readonly body?: string;
  /** Of a message: where its edits stand, or were to stand. Written by `addEdit` alone. */
  readonly edits?: readonly Place[];
  readonly sentAtMs: number;
  /** Readers never see the row from here on. */
  readonly expiresAtMs: number;
}

/** A number and its id. */
export interface Place {
  readonly id: EntryId;
  readonly seq: number;
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
  /**
   * Notes at a message where an edit of it will stand, so that whoever deletes the message finds it. False when no message stands at
   * `targetId` (any more): then nothing is written. Repeatable. The row ends when it would have ended.
   * @throws {Unavailable} unknown whether it was noted; repeat.
   */
  addEdit(conversation: ConversationKey, targetId: EntryId, edit: Place): Promise<boolean>;
  /**
   * Makes a message or an edit `deleted`, without a body, for good: no edit is noted at it any more. Other rows stay as they are. Answers
   * the row that stands there now. Repeatable. The row ends when it would have ended.
   * @throws {Unavailable} unknown whether it was blanked; repeat.
   */
  blank(conversation: ConversationKey, id: EntryId): Promise<LogRow | undefined>;
  /** The row at an id. */
  get(conversation: ConversationKey, id: EntryId): Promise<LogRow | undefined>;
  /** Rows with `id > after`, oldest first, at most `limit` (1 to 500). Empty for an unknown conversation. */
  after(conversation: ConversationKey, after: EntryId, limit: number): Promise<LogRow[]>;
  /** Rows with `id < before` (all without it), newest first, at most `limit` (1 to 500). */
  before(conversation: ConversationKey, before: EntryId | undefined, limit: number): Promise<LogRow[]>;
}
