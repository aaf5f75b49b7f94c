import type { Presence as PresenceState } from '@parley/protocol';
import type { ConversationKey, UserKey } from '../../runtime/keys.ts';
import { TokenBuckets } from '../../runtime/token-buckets.ts';
import type { Presence, Rate, Watcher } from './port.ts';

interface UserPresence {
  /** Per connection: until when it counts. */
  readonly beats: Map<string, number>;
  invisible: boolean;
  lastSeenAtMs?: number;
}

interface Watch {
  users: readonly UserKey[];
  expiresAtMs: number;
}

/** Presence in this process: for `npm start` and for tests. */
export class MemoryPresence implements Presence {
  private readonly users = new Map<UserKey, UserPresence>();
  private readonly watches = new Map<string, Watch>();
  /** The reverse of `watches`. */
  private readonly watchers = new Map<UserKey, Map<string, Watcher>>();
  private readonly marks = new Map<string, number>();
  private readonly cachedHeads = new Map<ConversationKey, number>();
  private readonly expectedUntil = new Map<ConversationKey, number>();
  private readonly buckets: TokenBuckets;

  constructor(private readonly now: () => number = Date.now) {
    this.buckets = new TokenBuckets(now);
  }

  beat({ user, connectionId }: Watcher, invisible: boolean, ttlMs: number): Promise<{ appeared: boolean }> {
    const before = this.isVisible(user);
    let presence = this.users.get(user);
    if (!presence) this.users.set(user, (presence = { beats: new Map<string, number>(), invisible }));
    presence.beats.set(connectionId, this.now() + ttlMs);
    presence.invisible = invisible;
    if (!invisible) presence.lastSeenAtMs = this.now();
    return Promise.resolve({ appeared: !before && this.isVisible(user) });
  }

  end({ user, connectionId }: Watcher): Promise<{ disappeared: boolean }> {
    const before = this.isVisible(user);
    this.users.get(user)?.beats.delete(connectionId);
    this.forget(connectionId);
    return Promise.resolve({ disappeared: before && !this.isVisible(user) });
  }

  states(users: readonly UserKey[]): Promise<Omit<PresenceState, 'userId'>[]> {
    return Promise.resolve(
      users.map((user) => {
        const lastSeenAtMs = this.users.get(user)?.lastSeenAtMs;
        const state = this.isVisible(user) ? 'online' : 'offline';
        return { state, ...(lastSeenAtMs !== undefined && { lastSeenAtMs }) };
      }),
    );
  }

  watch(watcher: Watcher, users: readonly UserKey[], ttlMs: number): Promise<void> {
    this.forget(watcher.connectionId);
    if (users.length === 0) return Promise.resolve();
    this.watches.set(watcher.connectionId, { users, expiresAtMs: this.now() + ttlMs });
    for (const user of users) {
      const theirs = this.watchers.get(user);
      if (theirs) theirs.set(watcher.connectionId, watcher);
      else this.watchers.set(user, new Map([[watcher.connectionId, watcher]]));
    }
    return Promise.resolve();
  }

  watchedBy({ connectionId }: Watcher, ttlMs: number): Promise<readonly UserKey[]> {
    const watch = this.liveWatch(connectionId);
    if (!watch) return Promise.resolve([]);
    watch.expiresAtMs = this.now() + ttlMs;
    return Promise.resolve(watch.users);
  }

  watchersOf(user: UserKey): Promise<readonly Watcher[]> {
    const theirs = [...(this.watchers.get(user)?.values() ?? [])];
    return Promise.resolve(theirs.filter(({ connectionId }) => this.liveWatch(connectionId)));
  }

  take(bucket: string, rate: Rate): Promise<{ allowed: boolean; retryAfterMs: number }> {
    return Promise.resolve(this.buckets.take(bucket, rate));
  }

  mark(key: string, ttlMs: number): Promise<boolean> {
    if (this.isMarkedNow(key)) return Promise.resolve(false);
    this.marks.delete(key);
    this.marks.set(key, this.now() + ttlMs);
    this.forgetOldMarks();
    return Promise.resolve(true);
  }

  unmark(key: string): Promise<boolean> {
    const was = this.isMarkedNow(key);
    this.marks.delete(key);
    return Promise.resolve(was);
  }

  isMarked(key: string): Promise<boolean> {
    return Promise.resolve(this.isMarkedNow(key));
  }

  expectHead(conversation: ConversationKey, ttlMs: number): Promise<void> {
    this.expectedUntil.set(conversation, this.now() + ttlMs);
    return Promise.resolve();
  }

  setHead(conversation: ConversationKey, seq: number): Promise<void> {
    this.cachedHeads.set(conversation, Math.max(seq, this.cachedHeads.get(conversation) ?? 0));
    return Promise.resolve();
  }

  heads(conversations: readonly ConversationKey[]): Promise<(number | undefined)[]> {
    const isExpected = (conversation: ConversationKey) => (this.expectedUntil.get(conversation) ?? 0) > this.now();
    return Promise.resolve(conversations.map((key) => (isExpected(key) ? undefined : this.cachedHeads.get(key))));
  }

  private isVisible(user: UserKey): boolean {
    const presence = this.users.get(user);
    if (!presence) return false;
    for (const [connectionId, until] of presence.beats) if (until <= this.now()) presence.beats.delete(connectionId);
    return presence.beats.size > 0 && !presence.invisible;
  }

  private isMarkedNow(key: string): boolean {
    return (this.marks.get(key) ?? 0) > this.now();
  }

  private liveWatch(connectionId: string): Watch | undefined {
    const watch = this.watches.get(connectionId);
    if (watch && watch.expiresAtMs <= this.now()) {
      this.forget(connectionId);
      return undefined;
    }
    return watch;
  }

  private forget(connectionId: string): void {
    for (const user of this.watches.get(connectionId)?.users ?? []) {
      const theirs = this.watchers.get(user);
      theirs?.delete(connectionId);
      if (theirs?.size === 0) this.watchers.delete(user);
    }
    this.watches.delete(connectionId);
  }

  /** Marks stand in the order of their making; a few of the oldest are looked at with every new one. */
  private forgetOldMarks(): void {
    let looked = 0;
    for (const [key, until] of this.marks) {
      if (++looked > 4) return;
      if (until <= this.now()) this.marks.delete(key);
    }
  }
}
