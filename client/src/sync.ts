import type { Cursor } from '@parley/protocol';
import { LIMITS } from '@parley/protocol';
import { fullJitter } from './backoff.ts';
import type { Book } from './book.ts';
import type { ConversationState } from './conversation.ts';
import { localError, toParleyError, type ParleyError } from './errors.ts';
import type { Settings } from './options.ts';
import type { Session } from './session.ts';
import type { Timers } from './timers.ts';

/** Conversations that are fetched at once. */
const PARALLEL_MAX = 4;
/** A cursor that fails again right after starting over is a fault that no further attempt mends. */
const RESTARTS_MAX = 3;

/** Closes gaps: after a grace in which they may close by themselves, or at once. */
export class Sync {
  private readonly graces = new Map<string, () => void>();
  private readonly running = new Set<string>();
  private readonly waiting: (() => void)[] = [];
  private busy = 0;

  constructor(
    private readonly settings: Settings,
    private readonly timers: Timers,
    private readonly session: Session,
    private readonly book: Book,
    private readonly report: (error: ParleyError) => void,
  ) {}

  /** Fetches what is missing if it is still missing after the grace. In a busy conversation most gaps close before. */
  gap(state: ConversationState): void {
    if (this.graces.has(state.id) || this.running.has(state.id)) return;
    const { gapGraceMs, clock } = this.settings;
    const cancel = this.timers.after(gapGraceMs * (0.5 + clock.random()), () => {
      this.graces.delete(state.id);
      if (state.stale) this.now(state);
    });
    this.graces.set(state.id, cancel);
  }

  /** Fetches what is missing. One run per conversation; a run ends when nothing is missing or the connection is gone. */
  now(state: ConversationState): void {
    if (state.gone || this.running.has(state.id) || !this.session.isOnline()) return;
    this.graces.get(state.id)?.();
    this.graces.delete(state.id);
    this.running.add(state.id);
    void this.inTurn(() => this.run(state)).then((done) => {
      this.running.delete(state.id);
      // An entry that came while the run was ending found it running still.
      if (done && state.stale) this.gap(state);
    });
  }

  private async inTurn<T>(work: () => Promise<T>): Promise<T> {
    while (this.busy >= PARALLEL_MAX) await new Promise<void>((resolve) => this.waiting.push(resolve));
    this.busy++;
    try {
      return await work();
    } finally {
      this.busy--;
      this.waiting.shift()?.();
    }
  }

  /** Whether nothing was missing at its end; else something made it give up. */
  private async run(state: ConversationState): Promise<boolean> {
    let failures = 0;
    let restarts = 0;
    while (this.session.isOnline() && this.book.get(state.id) === state) {
      let waitMs: number;
      try {
        const { timeline } = state;
        const heldBefore = timeline.held;
        if (state.broken) await this.startOver(state);
        const retryAfterMs = await this.round(state);
        if (!state.stale) return true;
        const moved = state.timeline !== timeline || state.timeline.held > heldBefore;
        failures = moved ? 0 : failures + 1;
        waitMs = retryAfterMs ?? (moved ? 0 : this.backoff(failures));
      } catch (caught) {
        const error = toParleyError(caught, 'SDK_FAILED');
        if (error.code === 'OFFLINE' && !this.session.isOnline()) return false;
        if (error.code === 'NOT_FOUND') {
          this.book.remove(state);
          return false;
        }
        if (startsOver(error) && restarts++ < RESTARTS_MAX) state.broken = true;
        else if (!error.temporary) {
          this.report(error);
          return false;
        }
        waitMs = Math.max(error.retryAfterMs, this.backoff(failures++));
      }
      if (waitMs > 0) await this.timers.sleep(waitMs);
      if (!state.stale) return true;
    }
    return false;
  }

  /** Pages from the cursor to the head, beyond numbers that are still pending. Returns how long to wait for those. */
  private async round(state: ConversationState): Promise<number | undefined> {
    let after: Cursor | undefined = state.timeline.cursor;
    let retryAfterMs: number | undefined;
    while (after) {
      const { timeline }: ConversationState = state;
      const from: Cursor = after;
      const reply = await this.session.request('log.sync', {
        conversationId: state.id,
        epoch: timeline.epoch,
        after: from,
        limit: timeline.missingAfter(from.seq, LIMITS.syncLimitMax),
      });
      // Started over meanwhile, or to be: the answer belongs to another log.
      if (timeline !== state.timeline) return undefined;
      if (reply.epoch !== timeline.epoch) {
        state.broken = true;
        return undefined;
      }
      const whole = { afterSeq: from.seq, completeToSeq: reply.completeToSeq };
      this.book.take(state, reply.entries, whole, reply.headSeq);
      retryAfterMs ??= reply.retryAfterMs;
      const next: Cursor | undefined = reply.limited && reply.next ? timeline.skipKnown(reply.next) : undefined;
      after = next && next.seq > from.seq && next.seq < timeline.headSeq ? next : undefined;
    }
    return retryAfterMs;
  }

  private async startOver(state: ConversationState): Promise<void> {
    const conversationId = state.id;
    const { conversation } = await this.session.request('conversation.get', { conversationId });
    const page = await this.session.request('log.page', { conversationId });
    if (this.book.get(conversationId) !== state || state.gone) throw localError('OFFLINE');
    this.book.restart(state, conversation, page.entries, page.nextBeforeId === undefined);
  }

  private backoff(failures: number): number {
    const { backoffMinMs, backoffMaxMs, clock } = this.settings;
    return fullJitter(failures, backoffMinMs, backoffMaxMs, () => clock.random());
  }
}

function startsOver({ code }: ParleyError): boolean {
  return code === 'INVALID_CURSOR' || code === 'CURSOR_EXPIRED';
}
