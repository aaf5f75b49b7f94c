import type { ActionName, Body, Member, Reply } from '@parley/protocol';
import { storedId } from './changes.ts';
import type { ConversationState } from './conversation.ts';
import { Engine } from './engine.ts';
import { localError, refusal } from './errors.ts';
import { MessageIterator } from './iterator.ts';
import type {
  ClientEvents,
  ClientOptions,
  ClientState,
  ConversationView,
  Draft,
  Message,
  PresenceView,
} from './types.ts';
import { randomUuid } from './uuid.ts';

/** Pages of people that are read in one call. */
const PEOPLE_PAGES_MAX = 100;

/**
 * One user on one device: a socket that is kept open, the conversations, and an outbox.
 *
 * Every message is shown once, in the order of its conversation, across lost connections, rotations and reloads; a message that
 * `send` has taken reaches the server once, however often it has to be repeated.
 */
export class ParleyClient {
  private readonly engine: Engine;
  private readonly iterators = new Set<MessageIterator>();
  private connecting: Promise<void> | undefined;
  private closing: Promise<void> | undefined;

  constructor(options: ClientOptions) {
    this.engine = new Engine(options);
    this.engine.emitter.on('message', (message) => {
      for (const iterator of this.iterators) iterator.push(message);
    });
  }

  get state(): ClientState {
    return this.engine.session.state;
  }

  /** Undefined until the first answer of the server, or until the stored state is loaded. */
  get userId(): string | undefined {
    return this.engine.book.userId === '' ? undefined : this.engine.book.userId;
  }

  get deviceId(): string {
    return this.engine.deviceId;
  }

  /**
   * Loads the stored state and connects. Resolves when the first attempt has succeeded, or has failed: then the stored state is
   * shown, and the client goes on trying (see `state` and the event `error`).
   * @throws {ParleyError} CLOSED after `close`.
   */
  connect(): Promise<void> {
    if (this.closing) return Promise.reject(localError('CLOSED'));
    return (this.connecting ??= this.engine.start());
  }

  /** Newest activity first. The same array until something changes. */
  get conversations(): readonly ConversationView[] {
    return this.engine.book.list();
  }

  conversation(conversationId: string): ConversationView | undefined {
    return this.engine.book.get(conversationId)?.view();
  }

  /** What is to be shown, oldest first, own messages on their way last. The same array until something changes. */
  messages(conversationId: string): readonly Message[] {
    return this.engine.book.get(conversationId)?.messages() ?? [];
  }

  /**
   * Resolves once the message is safe in the outbox (`queued`); from there it goes out by itself, in order, also after a reload.
   * Marks the conversation as read.
   * @throws {ParleyError} NOT_FOUND for an unknown conversation; VALIDATION_FAILED, PAYLOAD_TOO_LARGE for the text; STORAGE_FAILED; CLOSED.
   */
  async send(conversationId: string, draft: Draft): Promise<Message> {
    const state = this.find(conversationId);
    this.engine.receipts.read(state, state.timeline.held);
    this.engine.typing.sent(conversationId);
    return this.engine.outbox.add(conversationId, draft);
  }

  /**
   * Queues a failed message again.
   * @throws {ParleyError} NOT_FOUND when none has this key; STORAGE_FAILED; CLOSED.
   */
  async retry(key: string): Promise<Message> {
    this.assertOpen();
    return this.engine.outbox.retry(key);
  }

  /**
   * Takes a failed message away.
   * @throws {ParleyError} NOT_FOUND when no failed one has this key; STORAGE_FAILED; CLOSED.
   */
  async discard(key: string): Promise<void> {
    this.assertOpen();
    return this.engine.outbox.discard(key);
  }

  /**
   * Gives an own message another text, for everybody.
   * @param key of a message that is stored, see `Message.key`.
   * @throws {ParleyError} NOT_FOUND when none has it or it was deleted; FORBIDDEN when it is not the user's own, or older than 24 h;
   * VALIDATION_FAILED, PAYLOAD_TOO_LARGE for the text; OFFLINE; CLOSED.
   */
  async edit(conversationId: string, key: string, text: string): Promise<void> {
    const state = this.find(conversationId);
    await this.engine.changes.edit(state, storedId(state, key), text);
  }

  /**
   * Deletes what a message says, for everybody; the message keeps its place. An owner of a group may delete any.
   * @throws {ParleyError} NOT_FOUND when none has this key or it was deleted; FORBIDDEN; OFFLINE; CLOSED.
   */
  async remove(conversationId: string, key: string): Promise<void> {
    const state = this.find(conversationId);
    await this.engine.changes.remove(state, storedId(state, key));
  }

  /**
   * Adds users to a group, one after the other, as its owner. They see what is said from then on.
   * @throws {ParleyError} for the first that cannot be added: FORBIDDEN (not the owner, a direct conversation, too many), NOT_FOUND (no such
   * user), CONFLICT (a member already), OFFLINE. Those before it were added.
   */
  async addMembers(conversationId: string, userIds: readonly string[]): Promise<void> {
    const state = this.find(conversationId);
    for (const userId of userIds) await this.engine.changes.addMember(state, userId);
  }

  /** Removes another member from a group, as its owner. @throws {ParleyError} FORBIDDEN; NOT_FOUND; OFFLINE; CLOSED. */
  async removeMember(conversationId: string, userId: string): Promise<void> {
    await this.engine.changes.removeMember(this.find(conversationId), userId);
  }

  /** Leaves a group; it goes from the list. When its owner leaves, another member becomes the owner. @throws {ParleyError} FORBIDDEN for direct ones; OFFLINE. */
  async leave(conversationId: string): Promise<void> {
    await this.engine.changes.leave(this.find(conversationId));
  }

  /**
   * The conversation with one other user; the same one however often it is called.
   * @throws {ParleyError} NOT_FOUND for an unknown user; OFFLINE.
   */
  createDirect(userId: string): Promise<ConversationView> {
    return this.create({ clientRequestId: randomUuid(), type: 'direct', memberIds: [userId] });
  }

  /** @throws {ParleyError} NOT_FOUND for an unknown member; VALIDATION_FAILED for the title or too many members; OFFLINE. */
  createGroup(group: { readonly title: string; readonly memberIds: readonly string[] }): Promise<ConversationView> {
    const { title, memberIds } = group;
    return this.create({ clientRequestId: randomUuid(), type: 'group', title, memberIds: [...memberIds] });
  }

  /**
   * Adds a page of history before the oldest shown entry; see `hasOlder`.
   * @throws {ParleyError} NOT_FOUND; OFFLINE and other temporary ones: call again.
   */
  async loadOlder(conversationId: string): Promise<void> {
    return this.engine.history.loadOlder(this.find(conversationId));
  }

  /** Read up to `seq`, by default everything shown. Told to the server after `receiptDebounceMs`; never goes back. */
  markRead(conversationId: string, seq = Number.MAX_SAFE_INTEGER): void {
    const state = this.engine.book.get(conversationId);
    if (state && !this.closing) this.engine.receipts.read(state, seq);
  }

  /** Call it on every key: it is told to the others every 3 s at most, and ends with `false`, a sent message, or after 6 s. */
  setTyping(conversationId: string, typing: boolean): void {
    if (!this.closing) this.engine.typing.say(conversationId, typing);
  }

  /** Replaces the set of users whose presence is followed: those on screen, 200 at most. */
  watchPresence(userIds: readonly string[]): void {
    this.engine.presences.watch(userIds);
  }

  presence(userId: string): PresenceView {
    return this.engine.presences.get(userId);
  }

  /** Everyone in the workspace. @throws {ParleyError} OFFLINE. */
  async people(): Promise<Member[]> {
    const members: Member[] = [];
    let page: string | undefined;
    for (let i = 0; i < PEOPLE_PAGES_MAX; i++) {
      const reply = await this.engine.insist('workspace.members', page === undefined ? {} : { page });
      members.push(...reply.members);
      page = reply.nextPage;
      if (page === undefined) break;
    }
    return members;
  }

  /**
   * One request of the protocol, sent once. Waits for a connection up to `requestTimeoutMs`.
   * @throws {ParleyError} as the server answered, or OFFLINE: then it may or may not have taken effect.
   */
  async request<A extends ActionName>(action: A, body: Body<A>): Promise<Reply<A>> {
    this.assertOpen();
    return this.engine.request(action, body);
  }

  /** Calls `listener` from now on, until the returned function is called or the client is closed. */
  on<E extends keyof ClientEvents>(event: E, listener: (value: ClientEvents[E]) => void): () => void {
    return this.engine.emitter.on(event, listener);
  }

  /**
   * New messages as they are shown, own ones included, each once; with `strict` in the order of their conversation.
   * Ends when the client closes. Throws when the loop lags 10,000 messages behind.
   */
  entries(filter: { readonly conversationId?: string } = {}): AsyncIterableIterator<Message, undefined> {
    const iterator = new MessageIterator(filter.conversationId, (ended) => this.iterators.delete(ended));
    if (this.closing) iterator.end();
    else this.iterators.add(iterator);
    return iterator;
  }

  /** Says what is left to say, ends the presence, and frees everything. What is queued waits in the storage for the next client. */
  close(): Promise<void> {
    return (this.closing ??= this.shutDown());
  }

  private async create(body: Body<'conversation.create'>): Promise<ConversationView> {
    const { conversation } = await this.engine.insist('conversation.create', body);
    return this.engine.book.adopt(conversation).view();
  }

  private find(conversationId: string): ConversationState {
    this.assertOpen();
    const state = this.engine.book.get(conversationId);
    if (!state) throw refusal('NOT_FOUND', 'This conversation is not known here.', 'Use one of client.conversations.');
    return state;
  }

  private assertOpen(): void {
    if (this.closing) throw localError('CLOSED');
  }

  private async shutDown(): Promise<void> {
    await this.engine.close();
    for (const iterator of this.iterators) iterator.end();
  }
}
