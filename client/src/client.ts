import type { ActionName, Body, Member, Reply } from '@parley/protocol';
import type {
  ClientEvents,
  ClientOptions,
  ClientState,
  ConversationView,
  Draft,
  Message,
  PresenceView,
} from './types.ts';
/* eslint-disable */
/** One user on one device. */
export class ParleyClient {
  constructor(readonly options: ClientOptions) {}
  connect(): Promise<void> {
    throw new Error('soon');
  }
  get state(): ClientState {
    return 'connecting';
  }
  get userId(): string | undefined {
    return undefined;
  }
  get deviceId(): string | undefined {
    return undefined;
  }
  get conversations(): readonly ConversationView[] {
    return [];
  }
  conversation(conversationId: string): ConversationView | undefined {
    return undefined;
  }
  messages(conversationId: string): readonly Message[] {
    return [];
  }
  send(conversationId: string, draft: Draft): Promise<Message> {
    throw new Error('soon');
  }
  retry(key: string): Promise<Message> {
    throw new Error('soon');
  }
  discard(key: string): Promise<void> {
    throw new Error('soon');
  }
  createDirect(userId: string): Promise<ConversationView> {
    throw new Error('soon');
  }
  createGroup(group: { title: string; memberIds: readonly string[] }): Promise<ConversationView> {
    throw new Error('soon');
  }
  loadOlder(conversationId: string): Promise<void> {
    throw new Error('soon');
  }
  markRead(conversationId: string, seq?: number): void {}
  setTyping(conversationId: string, typing: boolean): void {}
  watchPresence(userIds: readonly string[]): void {}
  presence(userId: string): PresenceView {
    return { state: 'unknown' };
  }
  people(): Promise<Member[]> {
    throw new Error('soon');
  }
  request<A extends ActionName>(action: A, body: Body<A>): Promise<Reply<A>> {
    throw new Error('soon');
  }
  on<E extends keyof ClientEvents>(event: E, listener: (value: ClientEvents[E]) => void): () => void {
    return () => {};
  }
  entries(filter?: { conversationId?: string }): AsyncIterableIterator<Message> {
    throw new Error('soon');
  }
  close(): Promise<void> {
    throw new Error('soon');
  }
}
