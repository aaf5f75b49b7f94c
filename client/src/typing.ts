import type { EventBody } from '@parley/protocol';
import { LIMITS } from '@parley/protocol';
import type { Book } from './book.ts';
import type { Emitter } from './emitter.ts';
import type { Session } from './session.ts';
import type { Timers } from './timers.ts';
import type { Clock } from './types.ts';

/** Who types, for as long as they say; and says when this user does, not more often than anyone can see. */
export class Typing {
  /** Of the server's clock over this one, in ms. */
  clockAheadMs = 0;
  private readonly saidAtMs = new Map<string, number>();
  private readonly ends = new Map<string, () => void>();

  constructor(
    private readonly clock: Clock,
    private readonly timers: Timers,
    private readonly session: Session,
    private readonly book: Book,
    private readonly emitter: Emitter,
  ) {}

  /** Best effort: what cannot be said now is not said later. */
  say(conversationId: string, typing: boolean): void {
    const nowMs = this.clock.now();
    const saidAtMs = this.saidAtMs.get(conversationId);
    if (typing ? saidAtMs !== undefined && nowMs - saidAtMs < LIMITS.typingCoalesceMs : saidAtMs === undefined) return;
    if (typing) this.saidAtMs.set(conversationId, nowMs);
    else this.saidAtMs.delete(conversationId);
    this.session.request('typing.set', { conversationId, typing }).catch(() => undefined);
  }

  /** A message ends the typing by itself. */
  sent(conversationId: string): void {
    this.saidAtMs.delete(conversationId);
  }

  event({ conversationId, userId, typing, expiresAtMs }: EventBody<'typing'>): void {
    if (userId === this.book.userId || !this.book.get(conversationId)) return;
    const leftMs = expiresAtMs - this.clock.now() - this.clockAheadMs;
    if (!typing || leftMs <= 0) {
      this.stop(conversationId, userId);
      return;
    }
    const key = `${conversationId}/${userId}`;
    this.ends.get(key)?.();
    // Clocks may differ: nobody is shown typing for longer than the server ever says.
    const cancel = this.timers.after(Math.min(leftMs, LIMITS.typingTtlMs), () => this.stop(conversationId, userId));
    this.ends.set(key, cancel);
    this.show(conversationId, userId, true);
  }

  stop(conversationId: string, userId: string): void {
    const key = `${conversationId}/${userId}`;
    this.ends.get(key)?.();
    this.ends.delete(key);
    this.show(conversationId, userId, false);
  }

  private show(conversationId: string, userId: string, typing: boolean): void {
    const state = this.book.get(conversationId);
    if (!state || state.typing.has(userId) === typing) return;
    if (typing) state.typing.add(userId);
    else state.typing.delete(userId);
    this.book.show(state);
    this.emitter.emit('typing', { conversationId, userId, typing });
  }
}
