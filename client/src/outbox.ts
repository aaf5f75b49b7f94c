import type { Entry, MessageEntry, Reply } from '@parley/protocol';
import { LIMITS } from '@parley/protocol';
import { fullJitter } from './backoff.ts';
import { isSaid } from './conversation.ts';
import { ParleyError, refusal, toParleyError } from './errors.ts';
import type { Settings } from './options.ts';
import type { Session } from './session.ts';
import type { Store, StoredSend } from './store.ts';
import type { Timers } from './timers.ts';
import type { Draft, Message } from './types.ts';
import { randomUuid } from './uuid.ts';

export interface OutboxHooks {
  userId(): string;
  /** The queue of a conversation changed. */
  changed(conversationId: string): void;
  /** The server has stored it: take the entry in, and tell about it. */
  sent(entry: MessageEntry): void;
  /** Queued or failed. */
  told(message: Message): void;
  /** The server does not know the conversation: whether it has been made anew, so that the message can go out. */
  revive(conversationId: string): Promise<boolean>;
}

/** More than this is not queued: something feeds the outbox that nobody reads. */
const QUEUED_MAX = 10_000;

/**
 * Own messages on their way. Each is in the storage before anyone hears of it, goes out in the order in which the user wrote
 * within its conversation, and is repeated with the same key until the server answers: so it has one effect, however often it travels.
 */
export class Outbox {
  /** In the order of writing. */
  private sends = new Map<string, StoredSend>();
  private readonly lanes = new Set<string>();
  private place = 0;
  private lastMs = 0;

  constructor(
    private readonly settings: Settings,
    private readonly timers: Timers,
    private readonly session: Session,
    private readonly store: Store,
    private readonly hooks: OutboxHooks,
  ) {}

  /** Adds what the storage holds, also what another tab of this user has left there. */
  async load(replace = false): Promise<void> {
    const stored = await this.store.sends();
    const known = replace ? [] : [...this.sends.values()];
    const found = stored.filter((send) => replace || !this.sends.has(send.key));
    if (!replace && found.length === 0) return;
    const all = [...known, ...found].sort((a, b) => a.createdAtMs - b.createdAtMs || a.place - b.place);
    this.sends = new Map(all.map((send) => [send.key, send]));
    this.lastMs = all.at(-1)?.createdAtMs ?? 0;
    for (const { conversationId } of found) this.hooks.changed(conversationId);
  }

  /** Queued and failed ones of a conversation, in the order of writing. */
  of(conversationId: string): readonly Message[] {
    return this.inOrder(conversationId).map((send) => this.toMessage(send));
  }

  /**
   * Resolves once the message is in the storage; sending goes on by itself.
   * @throws {ParleyError} VALIDATION_FAILED or PAYLOAD_TOO_LARGE for a text that no server would take; STORAGE_FAILED.
   */
  async add(conversationId: string, draft: Draft): Promise<Message> {
    checkText(draft.text);
    if (this.sends.size >= QUEUED_MAX)
      throw refusal('RATE_LIMITED', `${QUEUED_MAX} messages wait already.`, 'Wait until some of them are sent.');
    const send: StoredSend = {
      key: randomUuid(),
      conversationId,
      content: { type: 'text', text: draft.text },
      ...(draft.replyToId === undefined ? {} : { replyToId: draft.replyToId }),
      ...(draft.mentions === undefined ? {} : { mentions: [...draft.mentions] }),
      createdAtMs: this.instant(),
      place: this.place++,
    };
    return this.enqueue(send);
  }

  /**
   * Tries a failed message again; a repeat of one that waits does nothing.
   * After CONFLICT it gets a new key, since the old one belongs to another message.
   * @throws {ParleyError} NOT_FOUND when no message with this key waits.
   */
  async retry(key: string): Promise<Message> {
    const { failure, ...send } = this.find(key);
    if (!failure) return this.toMessage(send);
    if (failure.code !== 'CONFLICT') return this.enqueue(send);
    const message = await this.enqueue({ ...send, key: randomUuid() });
    await this.discard(key);
    return message;
  }

  /**
   * Takes a failed message away.
   * @throws {ParleyError} NOT_FOUND when no failed message has this key: one that waits may have reached the server already.
   */
  async discard(key: string): Promise<void> {
    const send = this.find(key);
    if (!send.failure) throw unknownKey();
    this.forget(send);
    await this.store.flush();
  }

  /** Sends whatever waits. */
  kick(): void {
    for (const send of this.sends.values()) {
      if (!send.failure && !this.lanes.has(send.conversationId)) void this.run(send.conversationId);
    }
  }

  /** Own messages that came in as entries are no longer on their way. */
  settle(entries: readonly Entry[]): void {
    for (const entry of entries) {
      if (!isSaid(entry) || entry.senderId !== this.hooks.userId()) continue;
      const send = this.sends.get(entry.clientMessageId);
      if (send?.conversationId === entry.conversationId) this.forget(send);
    }
  }

  private async enqueue(send: StoredSend): Promise<Message> {
    this.sends.set(send.key, send);
    this.store.putSend(send);
    this.hooks.changed(send.conversationId);
    try {
      await this.store.flush();
    } catch (error) {
      if (this.sends.has(send.key)) this.forget(send);
      throw toParleyError(error, 'STORAGE_FAILED');
    }
    const message = this.toMessage(send);
    this.hooks.told(message);
    this.kick();
    return message;
  }

  private async run(conversationId: string): Promise<void> {
    this.lanes.add(conversationId);
    let failures = 0;
    try {
      for (let send = this.next(conversationId); send && this.session.isOnline(); send = this.next(conversationId)) {
        const error = await this.trySend(send);
        if (error?.code === 'OFFLINE' && !this.session.isOnline()) break;
        if (!error) failures = 0;
        else await this.timers.sleep(Math.max(error.retryAfterMs, this.backoff(failures++)));
      }
      if (this.next(conversationId)) this.session.hasten();
    } finally {
      this.lanes.delete(conversationId);
    }
  }

  /** Returns the error after which the same send must be repeated. */
  private async trySend(send: StoredSend): Promise<ParleyError | undefined> {
    const { key } = send;
    try {
      this.hooks.sent(this.toEntry(send, await this.deliver(send)));
      if (this.sends.has(key)) this.forget(send);
      return undefined;
    } catch (caught) {
      const error = toParleyError(caught, 'SDK_FAILED');
      // A stale token says nothing about the message: it goes on over the next socket.
      if (error.temporary || error.code === 'UNAUTHENTICATED' || error.code === 'TOKEN_EXPIRED') return error;
      if (this.sends.has(key)) this.fail({ ...send, failure: error.toFields() });
      return undefined;
    }
  }

  private async deliver(send: StoredSend): Promise<Reply<'message.send'>> {
    const { key, conversationId, content, replyToId, mentions } = send;
    const request = (): Promise<Reply<'message.send'>> =>
      this.session.request('message.send', {
        conversationId,
        clientMessageId: key,
        content,
        ...(replyToId === undefined ? {} : { replyToId }),
        ...(mentions === undefined ? {} : { mentions: [...mentions] }),
      });
    try {
      return await request();
    } catch (error) {
      if (toParleyError(error, 'SDK_FAILED').code !== 'NOT_FOUND') throw error;
      if (!(await this.hooks.revive(conversationId))) throw error;
      return request();
    }
  }

  private fail(send: StoredSend): void {
    this.sends.set(send.key, send);
    this.store.putSend(send);
    this.hooks.changed(send.conversationId);
    this.hooks.told(this.toMessage(send));
  }

  private forget(send: StoredSend): void {
    this.sends.delete(send.key);
    this.store.deleteSend(send.key);
    this.hooks.changed(send.conversationId);
  }

  private find(key: string): StoredSend {
    const send = this.sends.get(key);
    if (!send) throw unknownKey();
    return send;
  }

  private next(conversationId: string): StoredSend | undefined {
    return this.inOrder(conversationId).find((send) => !send.failure);
  }

  private inOrder(conversationId: string): StoredSend[] {
    return [...this.sends.values()].filter((send) => send.conversationId === conversationId);
  }

  /** Never goes back, so that the order of writing outlives a clock that is set back. */
  private instant(): number {
    this.lastMs = Math.max(this.lastMs, this.settings.clock.now());
    return this.lastMs;
  }

  private toMessage(send: StoredSend): Message {
    const { key, conversationId, content, replyToId, mentions, failure } = send;
    return {
      key,
      conversationId,
      senderId: this.hooks.userId(),
      mine: true,
      text: content.text,
      content,
      sentAtMs: send.createdAtMs,
      status: failure ? 'failed' : 'queued',
      error: failure && new ParleyError(failure),
      replyToId,
      mentions,
    };
  }

  private toEntry(send: StoredSend, reply: Reply<'message.send'>): MessageEntry {
    const { key, conversationId, content, replyToId, mentions } = send;
    return {
      kind: 'message',
      conversationId,
      id: reply.id,
      seq: reply.seq,
      sentAtMs: reply.sentAtMs,
      senderId: this.hooks.userId(),
      clientMessageId: key,
      content,
      ...(replyToId === undefined ? {} : { replyToId }),
      ...(mentions === undefined ? {} : { mentions: [...mentions] }),
    };
  }

  private backoff(failures: number): number {
    const { backoffMinMs, backoffMaxMs, clock } = this.settings;
    return fullJitter(failures, backoffMinMs, backoffMaxMs, () => clock.random());
  }
}

/** @throws {ParleyError} VALIDATION_FAILED or PAYLOAD_TOO_LARGE for a text that no server would take. */
export function checkText(text: string): void {
  if (text === '' || text.includes('\0'))
    throw refusal('VALIDATION_FAILED', 'text must not be empty and must not contain NUL.', 'Correct the text.');
  if (new TextEncoder().encode(text).length > LIMITS.textMaxBytes)
    throw refusal('PAYLOAD_TOO_LARGE', `text is larger than ${LIMITS.textMaxBytes} bytes.`, 'Send several messages.');
}

function unknownKey(): ParleyError {
  return refusal('NOT_FOUND', 'No failed message has this key.', 'Use the key of a message whose status is failed.');
}
