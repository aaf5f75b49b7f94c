import type { Book } from './book.ts';
import type { ConversationState } from './conversation.ts';
import { isSaid } from './conversation.ts';
import type { Session } from './session.ts';

/** Pages without a message (voids, kinds of later versions) that are read over before the caller is asked to call again. */
const PAGES_MAX = 5;

/** Pages backwards through the log. */
export class History {
  constructor(
    private readonly session: Session,
    private readonly book: Book,
  ) {}

  /** Adds the page before the oldest shown entry. Calls at the same time share one request. */
  loadOlder(state: ConversationState): Promise<void> {
    if (!state.timeline.hasOlder) return Promise.resolve();
    state.loadingOlder ??= this.page(state).finally(() => {
      state.loadingOlder = undefined;
      this.book.show(state);
    });
    this.book.show(state);
    return state.loadingOlder;
  }

  private async page(state: ConversationState): Promise<void> {
    const { timeline } = state;
    for (let i = 0; i < PAGES_MAX && timeline.hasOlder; i++) {
      const beforeId = timeline.oldestId;
      const body = { conversationId: state.id, ...(beforeId === undefined ? {} : { beforeId }) };
      const { entries, nextBeforeId } = await this.session.request('log.page', body);
      // The log was started over meanwhile: this page belongs to the old one.
      if (state.timeline !== timeline) return;
      this.book.takeOlder(state, entries, nextBeforeId === undefined);
      if (entries.some(isSaid)) return;
    }
  }
}
