import type { ActionName, Body, Entry, Reply } from '@parley/protocol';
import type { Book } from './book.ts';
import type { ConversationState } from './conversation.ts';
import { ParleyError, refusal } from './errors.ts';
import { checkText } from './outbox.ts';
import { randomUuid } from './uuid.ts';

type Ask = <A extends ActionName>(action: A, body: Body<A>) => Promise<Reply<A>>;

/**
 * Changes to what was said, and to who hears it. Each is asked for with a key of its own until the server answers, so it takes effect once;
 * what it does is shown with the answer.
 */
export class Changes {
  constructor(
    private readonly book: Book,
    private readonly ask: Ask,
  ) {}

  async edit(state: ConversationState, targetId: string, text: string): Promise<void> {
    checkText(text);
    const content = { type: 'text' as const, text };
    const reply = await this.ask('message.edit', { ...asked(state), targetId, content });
    this.take(state, { ...this.written(reply), kind: 'edit', targetId, content });
  }

  async remove(state: ConversationState, targetId: string): Promise<void> {
    const reply = await this.ask('message.delete', { ...asked(state), targetId });
    this.take(state, { ...this.written(reply), kind: 'delete', targetId });
  }

  async addMember(state: ConversationState, userId: string): Promise<void> {
    const reply = await this.ask('member.add', { ...asked(state), userId });
    this.take(state, { ...this.written(reply), kind: 'member', userId, change: 'joined', role: 'member' });
  }

  async removeMember(state: ConversationState, userId: string): Promise<void> {
    const reply = await this.ask('member.remove', { ...asked(state), userId });
    this.take(state, { ...this.written(reply), kind: 'member', userId, change: 'left' });
  }

  async leave(state: ConversationState): Promise<void> {
    try {
      await this.ask('conversation.leave', asked(state));
    } catch (error) {
      // Whoever is out already wanted just that.
      if (!(error instanceof ParleyError && error.code === 'NOT_FOUND')) throw error;
    }
    const now = this.book.get(state.id);
    if (now) this.book.remove(now);
  }

  private written({ conversationId, id, seq, sentAtMs }: Reply<'message.edit'>) {
    return { conversationId, id, seq, sentAtMs, senderId: this.book.userId };
  }

  private take({ id }: ConversationState, entry: Entry): void {
    const state = this.book.get(id);
    if (state) this.book.take(state, [entry]);
  }
}

/** @throws {ParleyError} NOT_FOUND */
export function storedId(state: ConversationState, key: string): string {
  const id = state.messages().find((message) => message.key === key)?.id;
  if (id !== undefined) return id;
  throw refusal('NOT_FOUND', 'No stored message has this key.', 'Wait until it is sent, or discard it.');
}

function asked({ id: conversationId }: ConversationState) {
  return { conversationId, clientRequestId: randomUuid() };
}
