import type { Book } from './book.ts';
import type { ConversationState } from './conversation.ts';
import { toParleyError, type ParleyError } from './errors.ts';
import type { Settings } from './options.ts';
import type { Session } from './session.ts';
import type { Timers } from './timers.ts';

/** Conversations whose receipts are asked for after a reconnect, newest first. */
const REFRESHED_MAX = 20;
/** Pages of the receipts of one conversation. */
const PAGES_MAX = 5;

/** Says how far this user has got and read, collected and in one request per conversation; and asks how far the others are. */
export class Receipts {
  private readonly dirty = new Set<string>();
  private readonly fresh = new Set<string>();
  private cancel: (() => void) | undefined;
  private sending: Promise<void> | undefined;

  constructor(
    private readonly settings: Settings,
    private readonly timers: Timers,
    private readonly session: Session,
    private readonly book: Book,
    private readonly report: (error: ParleyError) => void,
  ) {}

  /** Everything held is delivered; said only when something of others is among it. */
  delivered(state: ConversationState): void {
    const news = state.hasForeignAfter(state.own.deliveredSeq);
    if (state.want({ deliveredSeq: state.timeline.held, readSeq: 0 }) && news) this.schedule(state);
  }

  /** The user has seen everything up to `seq`; beyond what is held there is nothing to see. */
  read(state: ConversationState, seq: number): void {
    if (state.gone) return;
    const readSeq = Math.min(seq, state.timeline.held);
    if (state.want({ deliveredSeq: readSeq, readSeq })) {
      this.book.touch(state);
      this.schedule(state);
    }
    this.refresh(state);
  }

  /** After each connect: says what could not be said before, and asks about what may have changed meanwhile. */
  online(): void {
    this.fresh.clear();
    for (const state of this.book.newest(Number.MAX_SAFE_INTEGER)) {
      const { own, told } = state;
      if (own.deliveredSeq > told.deliveredSeq || own.readSeq > told.readSeq) this.schedule(state);
    }
    for (const state of this.book.newest(REFRESHED_MAX)) {
      const last = state.messages().findLast((message) => message.mine && message.seq !== undefined);
      if (last && last.status !== 'read') this.refresh(state);
    }
  }

  /** Sends what is collected, now. */
  async flush(): Promise<void> {
    this.cancel?.();
    this.cancel = undefined;
    await this.sending;
    this.sending = this.send();
    await this.sending;
  }

  private schedule(state: ConversationState): void {
    this.dirty.add(state.id);
    if (this.cancel || !this.session.isOnline()) return;
    this.cancel = this.timers.after(this.settings.receiptDebounceMs, () => void this.flush());
  }

  private async send(): Promise<void> {
    for (const conversationId of [...this.dirty]) {
      const state = this.book.get(conversationId);
      if (!this.session.isOnline()) return;
      this.dirty.delete(conversationId);
      if (state && !state.gone) await this.tell(state);
    }
  }

  private async tell(state: ConversationState): Promise<void> {
    const { own, told } = state;
    try {
      const reply = await this.session.request('receipt.set', {
        conversationId: state.id,
        ...(own.deliveredSeq > told.deliveredSeq ? { deliveredSeq: own.deliveredSeq } : {}),
        ...(own.readSeq > told.readSeq ? { readSeq: own.readSeq } : {}),
      });
      state.tell(reply);
      this.book.touch(state);
    } catch (caught) {
      const error = toParleyError(caught, 'SDK_FAILED');
      // Receipts are cumulative: the next one says this one too, so a temporary failure only delays it.
      if (error.temporary) this.timers.after(error.retryAfterMs, () => this.schedule(state));
      else this.report(error);
    }
  }

  private refresh(state: ConversationState): void {
    if (this.fresh.has(state.id) || !this.session.isOnline()) return;
    this.fresh.add(state.id);
    this.fetch(state).catch((error: unknown) => {
      this.fresh.delete(state.id);
      const failure = toParleyError(error, 'SDK_FAILED');
      if (!failure.temporary) this.report(failure);
    });
  }

  private async fetch(state: ConversationState): Promise<void> {
    let page: string | undefined;
    for (let i = 0; i < PAGES_MAX; i++) {
      const reply = await this.session.request('receipts.get', {
        conversationId: state.id,
        ...(page === undefined ? {} : { page }),
      });
      for (const receipt of reply.receipts) state.setReceipt(receipt);
      this.book.touch(state);
      page = reply.nextPage;
      if (page === undefined) return;
    }
  }
}
