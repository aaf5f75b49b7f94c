import type { Presence } from '@parley/protocol';
import { LIMITS } from '@parley/protocol';
import type { Emitter } from './emitter.ts';
import { toParleyError, type ParleyError } from './errors.ts';
import type { Session } from './session.ts';
import type { PresenceView } from './types.ts';

const UNKNOWN: PresenceView = { state: 'unknown' };

/** Whether the watched users are there. Unknown while there is no connection. */
export class Presences {
  private watched: readonly string[] = [];
  private known = new Map<string, PresenceView>();
  /** Those whom the server said that it follows for this socket. */
  private followed: ReadonlySet<string> = new Set();

  constructor(
    private readonly session: Session,
    private readonly emitter: Emitter,
    private readonly report: (error: ParleyError) => void,
  ) {}

  get(userId: string): PresenceView {
    return this.known.get(userId) ?? UNKNOWN;
  }

  /** Replaces the set; the first 200 count. Asked again on each new socket, since the server forgets it with the old one. */
  watch(userIds: readonly string[]): void {
    const next = [...new Set(userIds)].slice(0, LIMITS.watchedUsersMax);
    const same = next.length === this.watched.length && next.every((userId) => this.watched.includes(userId));
    this.watched = next;
    if (same) return;
    for (const userId of this.known.keys()) if (!next.includes(userId)) this.known.delete(userId);
    this.ask();
  }

  online(): void {
    this.followed = new Set();
    if (this.watched.length > 0) this.ask();
  }

  lost(): void {
    for (const [userId, { lastSeenAtMs }] of this.known) {
      this.known.set(userId, { state: 'unknown', ...(lastSeenAtMs === undefined ? {} : { lastSeenAtMs }) });
    }
    this.emitter.change();
  }

  /** What a heartbeat was answered: all that the server follows. When its store was emptied, it has to be told anew whom. */
  beaten(presences: readonly Presence[]): void {
    this.take(presences);
    const told = new Set(presences.map(({ userId }) => userId));
    if (this.watched.some((userId) => this.followed.has(userId) && !told.has(userId))) this.ask();
  }

  take(presences: readonly Presence[]): void {
    for (const presence of presences) {
      const { userId, ...view } = presence;
      if (!this.watched.includes(userId)) continue;
      const known = this.known.get(userId);
      if (known?.state === view.state && known.lastSeenAtMs === view.lastSeenAtMs) continue;
      this.known.set(userId, view);
      this.emitter.emit('presence', presence);
      this.emitter.change();
    }
  }

  private ask(): void {
    if (!this.session.isOnline()) return;
    const asked =
      this.watched.length > 0
        ? this.session.request('presence.watch', { userIds: [...this.watched] }).then(({ presence }) => {
            this.followed = new Set(presence.map(({ userId }) => userId));
            this.take(presence);
          })
        : this.session.request('presence.unwatch', {});
    asked.catch((caught: unknown) => {
      const error = toParleyError(caught, 'SDK_FAILED');
      if (error.code !== 'OFFLINE') this.report(error);
    });
  }
}
