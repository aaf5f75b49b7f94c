import type { Presence as PresenceState } from '@parley/protocol';
import type { ConversationKey, UserKey } from '../../runtime/keys.ts';

/** A connection that wants to see the presence of others. */
export interface Watcher {
  readonly user: UserKey;
  readonly connectionId: string;
}

export interface Rate {
  /** How many at once. */
  readonly burst: number;
  readonly perSecond: number;
}

/**
 * What Valkey holds: presence, watchers, rates, cached heads, marks. Nothing here is the only copy of anything; every call may
 * throw `Unavailable`, and its caller then goes on without. Must pass `describePresence`.
 */
export interface Presence {
  /** Keeps a connection's user online for `ttlMs`. Answers whether that made the user visible. Invisible users are offline to others. */
  beat(watcher: Watcher, invisible: boolean, ttlMs: number): Promise<{ appeared: boolean }>;
  /** Ends the presence of one connection, and whom it watches. Answers whether its user went offline by it. */
  end(watcher: Watcher): Promise<{ disappeared: boolean }>;
  /** In the order asked for. `unknown`: not heard of, since everything was forgotten not long ago. */
  states(users: readonly UserKey[]): Promise<Omit<PresenceState, 'userId'>[]>;

  /** Replaces whom a connection watches (at most `watchedUsersMax`), for `ttlMs`; beats prolong it. */
  watch(watcher: Watcher, users: readonly UserKey[], ttlMs: number): Promise<void>;
  /** Whom a connection watches; prolongs it by `ttlMs`. */
  watchedBy(watcher: Watcher, ttlMs: number): Promise<readonly UserKey[]>;
  /** Who watches a user. */
  watchersOf(user: UserKey): Promise<readonly Watcher[]>;

  /** Takes one token of a bucket. Not allowed: how long until there is one again. */
  take(bucket: string, rate: Rate): Promise<{ allowed: boolean; retryAfterMs: number }>;
  /** Marks `key` for `ttlMs`, unless it is marked already. Answers whether it did. */
  mark(key: string, ttlMs: number): Promise<boolean>;
  /** Answers whether there was a mark. */
  unmark(key: string): Promise<boolean>;
  isMarked(key: string): Promise<boolean>;

  /** Somebody is about to take a number: for `ttlMs` the head counts as not cached, since whoever takes it may die before `setHead`. */
  expectHead(conversation: ConversationKey, ttlMs: number): Promise<void>;
  /** Keeps the highest seq it was told of. */
  setHead(conversation: ConversationKey, seq: number): Promise<void>;
  /** In the order asked for; undefined where nothing is cached. */
  heads(conversations: readonly ConversationKey[]): Promise<(number | undefined)[]>;
}
