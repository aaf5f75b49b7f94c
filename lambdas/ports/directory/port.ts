import type { ConversationType, EntryId, Member, Receipt, Role } from '@parley/protocol';
import type { ConversationKey, UserKey } from '../../runtime/keys.ts';
import type { LogRow } from '../message-log/port.ts';

/** What all writers of a conversation agree on. */
export interface Head {
  readonly type: ConversationType;
  readonly title?: string;
  readonly createdAtMs: number;
  /** Hash of the request that made it: tells a repeat from another request with the same key. */
  readonly requestHash: string;
  /** Raised when the log starts anew; cursors of another epoch are void. */
  readonly epoch: number;
  /** The highest number that was handed out. */
  readonly seq: number;
  /** The id of that number; "0" before the first. */
  readonly lastId: EntryId;
  /** The nonce of whoever took that number: tells a sender whose answer was lost that the number is its own. */
  readonly lastBy: string;
  /** Rises with every change of the roster. */
  readonly rosterVersion: number;
  readonly memberCount: number;
}

/** What decides who may do and see what. It changes only with the roster's version. */
export interface Seat {
  readonly userId: string;
  readonly role: Role;
  /** The member sees entries after this number. */
  readonly joinedSeq: number;
}

/** A member with how far it has got. */
export interface RosterMember extends Seat {
  readonly deliveredSeq: number;
  readonly readSeq: number;
}

/** A conversation as one of its members sees it. */
export interface Membership {
  readonly head: Head;
  readonly me: RosterMember;
  /** All members, up to `rosterInlineMax` of them; absent beyond. Their receipts are asked for by `members`. */
  readonly roster?: readonly Seat[];
}

/** What the first of two sends with one client key left behind for the second. Kept for `dedupeTtlMs` at least. */
export interface DedupeRow {
  readonly id: EntryId;
  readonly seq: number;
  readonly bodyHash: string;
  readonly sentAtMs: number;
  /** When the entry ends: a repeat after it writes nothing. */
  readonly expiresAtMs: number;
  /** All of the entry's row but its place, for `repair` to finish what has begun. Absent where people wrote the body: that stands in the log alone. */
  readonly intent?: Intent;
}

/** A row of the log without its place and its times. */
export type Intent = Omit<LogRow, 'conversation' | 'id' | 'seq' | 'edits' | 'sentAtMs' | 'expiresAtMs'>;

export interface DedupeKey {
  readonly conversation: ConversationKey;
  readonly userId: string;
  readonly clientKey: string;
}

/** What step 1 of a send reads, in one consistent request. */
export interface AppendView {
  /** Absent: no such conversation, or the caller is no member. */
  readonly membership?: Membership;
  readonly dedupe?: DedupeRow;
  /** Whether the caller's connection is (still) registered. */
  readonly connected: boolean;
}

export interface NumberRequest {
  readonly conversation: ConversationKey;
  /** The id that the caller would like: for its own clock. */
  readonly id: EntryId;
  /** Added to the last id instead, when `id` does not lie above it (the caller's clock is behind). At least 1. */
  readonly step: number;
  /** Unique to this request. */
  readonly nonce: string;
  readonly rosterVersion: number;
}

export type NumberTaken =
  | { readonly taken: true; readonly seq: number; readonly id: EntryId }
  /** The roster is no longer of `rosterVersion`: read it again, authorize again. */
  | { readonly taken: false };

export type RosterChange =
  | { readonly type: 'add'; readonly userId: string; readonly role: Role }
  /** When the owner goes, another member becomes the owner. */
  | { readonly type: 'remove'; readonly userId: string };

export interface RosterRequest extends NumberRequest {
  readonly change: RosterChange;
  readonly key: DedupeKey;
  /** The dedupe row but for its place. */
  readonly row: Omit<DedupeRow, 'id' | 'seq'>;
}

export interface Connection {
  readonly connectionId: string;
  readonly deviceId: string;
  readonly connectedAtMs: number;
  readonly expiresAtMs: number;
}

export type UserState = 'active' | 'suspended' | 'deleted';

export interface NewConversation {
  readonly conversation: ConversationKey;
  readonly type: ConversationType;
  readonly title?: string;
  readonly createdAtMs: number;
  readonly requestHash: string;
  readonly members: readonly { readonly userId: string; readonly role: Role }[];
}

export interface Page<T> {
  readonly items: readonly T[];
  /** Give it back as `after` for the next page; absent on the last. */
  readonly next?: string;
}

/** Heads, rosters, dedupe rows, connections and users. The only copy of who may read what. Must pass `describeDirectory`. */
export interface Directory {
  /** Makes the conversation, unless one stands under its key, with its roster, all or nothing. Answers whether it did. */
  createConversation(conversation: NewConversation): Promise<boolean>;
  /** Read consistently. Undefined for an unknown conversation and for a stranger alike. */
  membership(conversation: ConversationKey, userId: string): Promise<Membership | undefined>;
  /** Read consistently, in nobody's name: for what must be finished whoever is a member by then. */
  head(conversation: ConversationKey): Promise<Head | undefined>;
  /** The same as `membership` for up to 500 at once, in the order asked for; those that `userId` is no member of are left out. */
  memberships(conversations: readonly ConversationKey[], userId: string): Promise<Map<ConversationKey, Membership>>;
  /** The conversations of a user, read consistently, in the order of their ids: at most `limit` with an id above `after`. */
  conversationsOf(user: UserKey, after: string | undefined, limit: number): Promise<Page<ConversationKey>>;
  /** The members, in an order that stays the same from page to page. */
  members(conversation: ConversationKey, after: string | undefined, limit: number): Promise<Page<RosterMember>>;

  /** Everything that a send needs to know, in one consistent read. */
  readForAppend(key: DedupeKey, user: UserKey, connectionId: string): Promise<AppendView>;
  /**
   * Takes the next number of a conversation. Ids rise strictly with the numbers, whatever the callers' clocks say, and
   * the id of every number can be asked for by `idOf` from now on.
   * @throws {Unavailable} unknown whether it was taken: `lastBy` of the head tells.
   */
  takeNumber(request: NumberRequest): Promise<NumberTaken>;
  /** The id of a number that was taken. */
  idOf(conversation: ConversationKey, seq: number): Promise<EntryId | undefined>;
  /**
   * Changes the roster, takes a number for the entry that tells of it, and stores its dedupe row: all or nothing. Whoever is added sees
   * entries from that number on. Answers the row, or undefined when nothing changed, because the roster is no longer of `rosterVersion`, a row
   * stands under the key, or the roster is already as wanted: read again.
   * @throws {Unavailable} unknown whether it was changed: the row under the key tells.
   */
  changeRoster(request: RosterRequest): Promise<DedupeRow | undefined>;
  /** Stores the row unless one stands under its key; answers the row that stands there now. Repeatable with the same row. */
  reserve(key: DedupeKey, row: DedupeRow): Promise<DedupeRow>;
  /** Replaces the row when it still has the id `from`; answers the row that stands there now. */
  repoint(key: DedupeKey, from: EntryId, row: DedupeRow): Promise<DedupeRow>;

  /** Raises the receipts of a member, never lowers them. Answers what now holds, and whether that is new. */
  raiseReceipt(conversation: ConversationKey, receipt: Receipt): Promise<{ receipt: Receipt; raised: boolean }>;

  /** Registers a connection; answers all of the user's, this one included. */
  addConnection(user: UserKey, connection: Connection): Promise<readonly Connection[]>;
  /** Removes just that connection; no other of the user. Repeatable. */
  removeConnection(user: UserKey, connectionId: string): Promise<void>;
  /** The registered connections of up to 500 users, read consistently; users without one are left out. */
  connectionsOf(users: readonly UserKey[]): Promise<Map<UserKey, readonly Connection[]>>;

  /** Makes the user a member of its workspace, or renews the name, unless the user is suspended or deleted. Answers the state. */
  admitUser(user: UserKey, name: string | undefined): Promise<UserState>;
  setUserState(user: UserKey, state: UserState): Promise<void>;
  /** Which of up to 500 users are active members of their workspace. */
  activeUsers(users: readonly UserKey[]): Promise<Set<UserKey>>;
  /** The active members of a workspace in the order of their ids. */
  workspaceMembers(workspaceId: string, after: string | undefined, limit: number): Promise<Page<Member>>;
}
