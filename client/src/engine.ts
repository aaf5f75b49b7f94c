import type { ActionName, Body, ErrorCode, Reply, ServerEvent } from '@parley/protocol';
import { LIMITS } from '@parley/protocol';
import { fullJitter } from './backoff.ts';
import { Book } from './book.ts';
import { Changes } from './changes.ts';
import { Emitter } from './emitter.ts';
import { localError, toParleyError, type ParleyError } from './errors.ts';
import { History } from './history.ts';
import { resolveOptions, type Settings } from './options.ts';
import { Outbox } from './outbox.ts';
import { Presences } from './presences.ts';
import { Receipts } from './receipts.ts';
import { CLOSE_PATIENCE_MS, Session, type Cursors } from './session.ts';
import { memoryStorage } from './storage-memory.ts';
import { Store } from './store.ts';
import { Sync } from './sync.ts';
import { Timers } from './timers.ts';
import type { ClientOptions, ClientState } from './types.ts';
import { Typing } from './typing.ts';
import { randomUuid } from './uuid.ts';

/** Attempts of a request that may be repeated, before its caller hears of the failure. */
const ATTEMPTS_MAX = 5;
/** More patience, some 15 s on average, for the other member of a conversation that the server has lost to come back too. */
const REVIVE_ATTEMPTS_MAX = 8;

/** Puts the parts of a client together: what the server says goes to the part that it concerns. */
export class Engine {
  readonly settings: Settings;
  readonly emitter = new Emitter();
  readonly session: Session;
  readonly book: Book;
  readonly history: History;
  readonly outbox: Outbox;
  readonly changes: Changes;
  readonly receipts: Receipts;
  readonly typing: Typing;
  readonly presences: Presences;
  deviceId = randomUuid();
  private readonly timers: Timers;
  private readonly store: Store;
  private readonly sync: Sync;
  /** Conversations that are being asked about. */
  private readonly meeting = new Set<string>();
  private lastFailure: ParleyError | undefined;

  constructor(options: ClientOptions) {
    const settings = (this.settings = resolveOptions(options));
    const timers = (this.timers = new Timers(settings.clock));
    const report = (error: ParleyError): void => this.report(error);
    this.store = new Store(settings.storage, timers, report);
    this.session = new Session(settings, timers, {
      deviceId: () => this.deviceId,
      cursors: () => this.book.cursors(),
      started: (page, sent) => this.started(page, sent),
      heads: () => this.heads(),
      beaten: (reply) => this.beaten(reply),
      event: (event) => this.event(event),
      online: () => this.online(),
      lost: () => this.presences.lost(),
      state: (state) => this.stateChanged(state),
      error: report,
    });
    this.book = new Book(settings, this.store, this.emitter, {
      queued: (conversationId) => this.outbox.of(conversationId),
      added: (state, entries) => {
        this.outbox.settle(entries);
        this.receipts.delivered(state);
        for (const entry of entries) if (entry.kind === 'message') this.typing.stop(state.id, entry.senderId);
      },
      outdated: (state) => this.meet(state.id),
      gap: (state) => this.sync.gap(state),
      behind: (state) => this.sync.now(state),
    });
    this.sync = new Sync(settings, timers, this.session, this.book, report);
    this.history = new History(this.session, this.book);
    this.outbox = new Outbox(settings, timers, this.session, this.store, {
      userId: () => this.book.userId,
      changed: (conversationId) => this.book.queueChanged(conversationId),
      sent: (entry) => {
        const state = this.book.get(entry.conversationId);
        if (!state) return;
        if (state.gone) this.meet(state.id);
        else this.book.take(state, [entry]);
        this.emitter.emit('outbox', state.message(entry));
      },
      revive: (conversationId) => this.revive(conversationId),
      told: (message) => this.emitter.emit('outbox', message),
    });
    this.changes = new Changes(this.book, (action, body) => this.insist(action, body));
    this.receipts = new Receipts(settings, timers, this.session, this.book, report);
    this.typing = new Typing(settings.clock, timers, this.session, this.book, this.emitter);
    this.presences = new Presences(this.session, this.emitter, report);
  }

  /** Loads the stored state and connects; see `ParleyClient.connect`. */
  async start(): Promise<void> {
    try {
      const device = await this.store.device();
      if (device) this.deviceId = device.deviceId;
      else await this.store.setDevice({ deviceId: this.deviceId });
      if (device?.userId !== undefined) await this.load(device.userId);
    } catch (error) {
      // A browser may forbid IndexedDB: then all works until the page is left.
      this.store.replace(memoryStorage());
      this.report(toParleyError(error, 'STORAGE_FAILED'));
    }
    await this.session.start();
  }

  /** See `ParleyClient.close`. */
  async close(): Promise<void> {
    await Promise.race([this.receipts.flush(), this.timers.sleep(CLOSE_PATIENCE_MS)]);
    await this.session.close();
    this.timers.end();
    await this.store.close();
    this.emitter.clear();
  }

  /** Sent once, as soon as there is a connection. @throws {ParleyError} OFFLINE when there is none within `requestTimeoutMs`. */
  async request<A extends ActionName>(action: A, body: Body<A>): Promise<Reply<A>> {
    await this.session.whenOnline(this.settings.requestTimeoutMs);
    if (!this.session.isOnline()) throw localError('OFFLINE', this.lastFailure);
    return this.session.request(action, body);
  }

  /** For requests that may be repeated: temporary failures, and those with the code `also`, are tried again some times. */
  async insist<A extends ActionName>(
    action: A,
    body: Body<A>,
    attemptsMax = ATTEMPTS_MAX,
    also?: ErrorCode,
  ): Promise<Reply<A>> {
    const { backoffMinMs, backoffMaxMs, clock } = this.settings;
    for (let failures = 0; ; failures++) {
      await this.session.whenOnline(this.settings.requestTimeoutMs);
      if (!this.session.isOnline()) throw localError('OFFLINE', this.lastFailure);
      try {
        return await this.session.request(action, body);
      } catch (caught) {
        const error = toParleyError(caught, 'SDK_FAILED');
        const again =
          error.temporary || error.code === 'TOKEN_EXPIRED' || error.code === 'UNAUTHENTICATED' || error.code === also;
        if (!again || failures + 1 >= attemptsMax) throw error;
        const waitMs = fullJitter(failures, backoffMinMs, backoffMaxMs, () => clock.random());
        await this.timers.sleep(Math.max(error.retryAfterMs, waitMs));
      }
    }
  }

  private async load(userId: string): Promise<number> {
    await this.store.useUser(userId);
    const [conversations, entries] = await Promise.all([this.store.conversations(), this.store.entries()]);
    this.book.load(userId, conversations, entries);
    await this.outbox.load(true);
    // Another tab may have discarded what a gone one was kept for.
    for (const { info } of conversations) this.book.queueChanged(info.conversationId);
    return conversations.length;
  }

  private async started(page: Reply<'session.start'>, sent: Cursors): Promise<boolean> {
    this.typing.clockAheadMs = page.serverTimeMs - this.settings.clock.now();
    if (page.userId !== this.book.userId) {
      // Another user signed in on this device: his own state counts, and these cursors were not his.
      const stored = await this.loadOther(page.userId);
      if (stored > 0 || Object.keys(sent).length > 0) return false;
    }
    // Also what another tab has queued keeps a conversation from leaving unseen.
    await this.loadOutbox();
    this.book.started(page, sent);
    return true;
  }

  private async loadOther(userId: string): Promise<number> {
    try {
      const stored = await this.load(userId);
      await this.store.setDevice({ deviceId: this.deviceId, userId });
      return stored;
    } catch (error) {
      this.report(toParleyError(error, 'STORAGE_FAILED'));
      if (this.book.userId !== userId) this.book.load(userId, [], new Map());
      return 0;
    }
  }

  private online(): void {
    this.lastFailure = undefined;
    for (const state of this.book.newest(Number.MAX_SAFE_INTEGER)) if (state.stale) this.sync.now(state);
    this.receipts.online();
    this.presences.online();
    this.outbox.kick();
  }

  private async loadOutbox(): Promise<void> {
    try {
      await this.outbox.load();
    } catch (error) {
      this.report(toParleyError(error, 'STORAGE_FAILED'));
    }
  }

  private heads(): Record<string, number> {
    return Object.fromEntries(
      this.book.newest(LIMITS.heartbeatHeadsMax).map((state) => [state.id, state.timeline.held]),
    );
  }

  private beaten(reply: Reply<'heartbeat'>): void {
    this.presences.beaten(reply.presence);
    for (const { conversationId, headSeq } of reply.behind) {
      const state = this.book.get(conversationId);
      if (!state) continue;
      state.timeline.headSeq = Math.max(state.timeline.headSeq, headSeq);
      this.book.show(state);
      if (state.timeline.behind) this.sync.now(state);
    }
  }

  private event(event: ServerEvent): void {
    switch (event.type) {
      case 'entry': {
        const state = this.book.get(event.body.conversationId);
        if (state && !state.gone) this.book.take(state, [event.body]);
        else this.meet(event.body.conversationId);
        return;
      }
      case 'receipt': {
        const state = this.book.get(event.body.conversationId);
        if (!state?.setReceipt(event.body)) return;
        this.book.touch(state);
        this.emitter.emit('receipt', event.body);
        return;
      }
      case 'typing':
        this.typing.event(event.body);
        return;
      case 'presence':
        this.presences.take([event.body]);
        return;
      case 'conversation':
        this.book.settingsChanged(event.body);
        return;
      default:
      // Events of later versions mean nothing here.
    }
  }

  /** An entry of a conversation that is not known yet: whoever is asked about it also answers with the entry. */
  private meet(conversationId: string): void {
    if (this.meeting.has(conversationId)) return;
    this.meeting.add(conversationId);
    this.insist('conversation.get', { conversationId })
      .then(({ conversation }) => this.book.adopt(conversation))
      .catch((error: unknown) => this.report(toParleyError(error, 'SDK_FAILED')))
      .finally(() => this.meeting.delete(conversationId));
  }

  /**
   * A direct conversation has the same id whenever its two members create it: one that the server has lost can begin anew.
   * Returns whether it did. @throws {ParleyError} a temporary one, after which the same may succeed.
   */
  private async revive(conversationId: string): Promise<boolean> {
    const state = this.book.get(conversationId);
    // It came back while the refusal was on its way.
    if (state && !state.gone) return true;
    const partner = state?.info.members?.find(({ userId }) => userId !== this.book.userId);
    if (state?.info.type !== 'direct' || !partner) return false;
    const body = { clientRequestId: randomUuid(), type: 'direct' as const, memberIds: [partner.userId] };
    try {
      const { conversation } = await this.insist('conversation.create', body, REVIVE_ATTEMPTS_MAX, 'NOT_FOUND');
      this.book.adopt(conversation);
      return conversation.conversationId === conversationId;
    } catch (error) {
      if (toParleyError(error, 'SDK_FAILED').temporary) throw error;
      return false;
    }
  }

  private stateChanged(state: ClientState): void {
    this.emitter.emit('state', state);
    this.emitter.change();
  }

  private report(error: ParleyError): void {
    if (error.code === 'CONNECT_FAILED' || error.code === 'TOKEN_FAILED') this.lastFailure = error;
    this.emitter.emit('error', error);
  }
}
