import { LIMITS, type Presence as PresenceState } from '@parley/protocol';
import { CACHE_KEYS } from '@parley/protocol/stores';
import type { ConversationKey, UserKey } from '../../runtime/keys.ts';
import type { Presence, Rate, Watcher } from './port.ts';
import { ValkeyConnection, type ValkeyCommands, type ValkeyOptions } from './valkey-connection.ts';

/** How long a user who went away is remembered with the instant at which it was last seen. */
const SEEN_KEPT_MS = 30 * 24 * 60 * 60 * 1_000;
/** A head that is not cached is looked up. */
const HEAD_KEPT_MS = 7 * 24 * 60 * 60 * 1_000;

const KEYS = {
  user: (user: UserKey) => `${CACHE_KEYS.presence}{${user}}`,
  /** Since when the cache remembers: gone when it was emptied. */
  since: `${CACHE_KEYS.presence}since`,
  /** Connections that may watch a user, by when they end at the latest. */
  watchers: (user: UserKey) => `${CACHE_KEYS.watchers}{${user}}`,
  /** Whom a connection watches: decides, and ends with its time. */
  watched: (connectionId: string) => `${CACHE_KEYS.watchers}c:${connectionId}`,
  bucket: (bucket: string) => `${CACHE_KEYS.rates}${bucket}`,
  head: (conversation: ConversationKey) => `${CACHE_KEYS.heads}${conversation}`,
  /** No workspace begins with the mark. */
  expected: (conversation: ConversationKey) => `${CACHE_KEYS.heads}!${conversation}`,
};

/** Presence in Valkey or Redis. Each command touches one key: serverless Valkey is always a cluster. */
export class ValkeyPresence implements Presence {
  private readonly connection: ValkeyConnection;
  private readonly now: () => number;

  constructor(options: ValkeyOptions) {
    this.connection = new ValkeyConnection(options);
    this.now = options.now ?? Date.now;
  }

  beat({ user, connectionId }: Watcher, invisible: boolean, ttlMs: number): Promise<{ appeared: boolean }> {
    const now = this.now();
    const hides = invisible ? '1' : '0';
    return this.connection.run(async (valkey) => {
      const appeared = await valkey.parleyBeat(
        KEYS.user(user),
        now,
        fieldOf(connectionId),
        now + ttlMs,
        hides,
        SEEN_KEPT_MS,
      );
      return { appeared: appeared === 1 };
    });
  }

  end({ user, connectionId }: Watcher): Promise<{ disappeared: boolean }> {
    return this.connection.run(async (valkey) => {
      const [disappeared] = await Promise.all([
        valkey.parleyEnd(KEYS.user(user), this.now(), fieldOf(connectionId)),
        valkey.del(KEYS.watched(connectionId)),
      ]);
      return { disappeared: disappeared === 1 };
    });
  }

  states(users: readonly UserKey[]): Promise<Omit<PresenceState, 'userId'>[]> {
    return this.connection.run(async (valkey) => {
      const now = this.now();
      const found = await Promise.all(users.map((user) => valkey.hgetall(KEYS.user(user))));
      const isComplete = found.every(isKnown) || now - (await sinceWhen(valkey, now)) >= LIMITS.presenceTtlMs;
      return found.map((fields) => (isComplete || isKnown(fields) ? stateOf(fields, now) : { state: 'unknown' }));
    });
  }

  watch(watcher: Watcher, users: readonly UserKey[], ttlMs: number): Promise<void> {
    const own = KEYS.watched(watcher.connectionId);
    const member = JSON.stringify(watcher);
    const endsAtMs = this.now() + LIMITS.socketMaxMs;
    return this.connection.run(async (valkey) => {
      const before = await valkey.smembers(own);
      const replacing = valkey.multi().del(own);
      if (users.length > 0) replacing.sadd(own, ...users).pexpire(own, ttlMs);
      await replacing.exec();
      const gone = new Set(before as UserKey[]);
      for (const user of users) gone.delete(user);
      await Promise.all([
        ...[...gone].map((user) => valkey.zrem(KEYS.watchers(user), member)),
        ...users.flatMap((user) => [
          valkey.zadd(KEYS.watchers(user), endsAtMs, member),
          // Of connections that were lost silently.
          valkey.zremrangebyscore(KEYS.watchers(user), '-inf', this.now()),
          valkey.pexpire(KEYS.watchers(user), LIMITS.socketMaxMs),
        ]),
      ]);
    });
  }

  watchedBy({ connectionId }: Watcher, ttlMs: number): Promise<readonly UserKey[]> {
    const own = KEYS.watched(connectionId);
    return this.connection.run(async (valkey) => {
      const [users] = await Promise.all([valkey.smembers(own), valkey.pexpire(own, ttlMs)]);
      return users as UserKey[];
    });
  }

  watchersOf(user: UserKey): Promise<readonly Watcher[]> {
    return this.connection.run(async (valkey) => {
      const members = await valkey.zrangebyscore(KEYS.watchers(user), this.now(), '+inf');
      const watchers = members.map((member) => JSON.parse(member) as Watcher);
      const watching = await Promise.all(
        watchers.map(({ connectionId }) => valkey.sismember(KEYS.watched(connectionId), user)),
      );
      return watchers.filter((_, i) => watching[i] === 1);
    });
  }

  take(bucket: string, { burst, perSecond }: Rate): Promise<{ allowed: boolean; retryAfterMs: number }> {
    const fullAfterMs = Math.ceil((burst / perSecond) * 1_000);
    return this.connection.run(async (valkey) => {
      const [taken, retryAfterMs] = await valkey.parleyTake(
        KEYS.bucket(bucket),
        this.now(),
        burst,
        perSecond,
        fullAfterMs,
      );
      return { allowed: taken === 1, retryAfterMs };
    });
  }

  mark(key: string, ttlMs: number): Promise<boolean> {
    return this.connection.run(async (valkey) => (await valkey.set(key, '1', 'PX', ttlMs, 'NX')) === 'OK');
  }

  unmark(key: string): Promise<boolean> {
    return this.connection.run(async (valkey) => (await valkey.del(key)) === 1);
  }

  isMarked(key: string): Promise<boolean> {
    return this.connection.run(async (valkey) => (await valkey.exists(key)) === 1);
  }

  expectHead(conversation: ConversationKey, ttlMs: number): Promise<void> {
    return this.connection.run(async (valkey) => {
      await valkey.set(KEYS.expected(conversation), '1', 'PX', ttlMs);
    });
  }

  setHead(conversation: ConversationKey, seq: number): Promise<void> {
    return this.connection.run(async (valkey) => {
      await valkey.parleyRaise(KEYS.head(conversation), seq, HEAD_KEPT_MS);
    });
  }

  heads(conversations: readonly ConversationKey[]): Promise<(number | undefined)[]> {
    return this.connection.run(async (valkey) => {
      const [heads, expected] = await Promise.all([
        Promise.all(conversations.map((conversation) => valkey.get(KEYS.head(conversation)))),
        Promise.all(conversations.map((conversation) => valkey.exists(KEYS.expected(conversation)))),
      ]);
      return heads.map((head, i) => (head === null || expected[i] === 1 ? undefined : Number(head)));
    });
  }

  /** Ends the connections. */
  close(): Promise<void> {
    this.connection.close();
    return Promise.resolve();
  }
}

function fieldOf(connectionId: string): string {
  return `c:${connectionId}`;
}

function isKnown(fields: Record<string, string>): boolean {
  return Object.keys(fields).length > 0;
}

/** Whoever was not heard of since may have been there before the cache was emptied, until all that are there have said so again. */
async function sinceWhen(valkey: ValkeyCommands, now: number): Promise<number> {
  const since = await valkey.set(KEYS.since, now, 'NX', 'GET');
  return since === null ? now : Number(since);
}

function stateOf(fields: Record<string, string>, now: number): Omit<PresenceState, 'userId'> {
  const { seen, invisible, ...connections } = fields;
  const isAlive = Object.values(connections).some((until) => Number(until) > now);
  return {
    state: isAlive && invisible !== '1' ? 'online' : 'offline',
    ...(seen !== undefined && { lastSeenAtMs: Number(seen) }),
  };
}
