import type { Cursor, Entry, EventBody, Reply, ServerEvent } from '@parley/protocol';
import type { Socket, Stage } from '../lambdas/support/stage.ts';

/** Entries of one answer of `log.sync`: few, so that resuming has to page. */
const SYNC_LIMIT = 4;

/** What a device holds of a conversation. */
export class Held {
  readonly byId = new Map<string, Entry>();
  private readonly bySeq = new Map<number, Entry>();
  /** Everything up to here is known. */
  cursor: Cursor = { seq: 0, id: '0' };
  epoch = 0;

  /** Keeps an entry once, however often it comes; it must be the same each time. */
  add(entry: Entry): void {
    const known = this.byId.get(entry.id) ?? this.bySeq.get(entry.seq);
    if (known) expect(entry).toEqual(known);
    this.byId.set(entry.id, entry);
    this.bySeq.set(entry.seq, entry);
    for (let next = this.bySeq.get(this.cursor.seq + 1); next; next = this.bySeq.get(next.seq + 1)) {
      this.cursor = { seq: next.seq, id: next.id };
    }
  }

  /** The server says that nothing is missing up to here: then nothing may be missing. */
  expectCompleteTo(seq: number): void {
    expect(this.cursor.seq).toBeGreaterThanOrEqual(seq);
  }

  /** As they are shown. */
  messages(): Entry[] {
    return [...this.bySeq.values()].filter(({ kind }) => kind === 'message').sort((a, b) => a.seq - b.seq);
  }
}

/** A device with a client as simple as the protocol allows: it dedupes by id, keeps cursors, and asks for what it misses. */
export class Phone {
  readonly held = new Map<string, Held>();
  readonly receipts: EventBody<'receipt'>[] = [];
  socket: Socket | undefined;
  /** Whether what is posted to its socket arrives. */
  hears = false;
  private read = 0;

  constructor(
    private readonly stage: Stage,
    readonly userId: string,
    readonly deviceId: string,
  ) {}

  get online(): Socket {
    if (!this.socket) throw new Error(`${this.userId}'s ${this.deviceId} is offline`);
    return this.socket;
  }

  of(conversationId: string): Held {
    const held = this.held.get(conversationId) ?? new Held();
    this.held.set(conversationId, held);
    return held;
  }

  /** The socket is gone; whether the server learns of it is another matter. */
  lose(): Socket | undefined {
    const { socket } = this;
    this.socket = undefined;
    this.hears = false;
    return socket;
  }

  /** Takes in what was posted since the last time. */
  listen(): void {
    if (!this.socket || !this.hears) return;
    const { events } = this.socket;
    for (const event of events.slice(this.read)) this.receive(event);
    this.read = events.length;
  }

  /** Opens a socket and gets everything that was missed. */
  async resume(): Promise<void> {
    const old = this.lose();
    this.socket = await this.stage.connect(this.userId, { deviceId: this.deviceId });
    this.hears = true;
    this.read = 0;
    // The end of the old socket is told late, when the new one stands.
    await old?.disconnect();
    // An entry may come before its conversation is known.
    const known = [...this.held].filter(([, { epoch }]) => epoch > 0);
    const cursors = known.map(([id, { cursor, epoch }]) => [id, { ...cursor, epoch }]);
    let page: string | undefined;
    do {
      const body = { cursors: Object.fromEntries(cursors) as object, ...(page !== undefined && { page }) };
      const answer: Reply<'session.start'> = await this.socket.ok('session.start', body);
      expect(answer.gone).toEqual([]);
      for (const conversation of answer.conversations) await this.resumeOne(conversation);
      page = answer.nextPage;
    } while (page !== undefined);
  }

  /** Reads on from the cursor, as far as the log goes. */
  async sync(conversationId: string): Promise<void> {
    const held = this.of(conversationId);
    let after: Cursor | undefined = held.cursor;
    while (after) {
      const { seq } = after;
      const body = { conversationId, epoch: held.epoch, after, limit: SYNC_LIMIT };
      const answer: Reply<'log.sync'> = await this.online.ok('log.sync', body);
      for (const entry of answer.entries) held.add(entry);
      if (seq <= held.cursor.seq) held.expectCompleteTo(answer.completeToSeq);
      after = answer.limited ? answer.next : undefined;
      expect(answer.limited).toBe(after !== undefined);
    }
  }

  private async resumeOne(conversation: Reply<'session.start'>['conversations'][number]): Promise<void> {
    const { conversationId, epoch, entries, completeToSeq, limited, headSeq } = conversation;
    const held = this.of(conversationId);
    const isKnown = held.epoch > 0;
    held.epoch = epoch;
    for (const entry of entries) held.add(entry);
    if (isKnown || !limited) held.expectCompleteTo(completeToSeq);
    else await this.pageBack(conversationId, entries[0]?.id);
    if (limited || completeToSeq < headSeq) await this.sync(conversationId);
  }

  private async pageBack(conversationId: string, from: string | undefined): Promise<void> {
    for (let beforeId = from; beforeId !== undefined;) {
      const answer: Reply<'log.page'> = await this.online.ok('log.page', { conversationId, beforeId });
      for (const entry of answer.entries) this.of(conversationId).add(entry);
      beforeId = answer.nextBeforeId;
    }
  }

  private receive({ type, body }: ServerEvent): void {
    if (type === 'entry') this.of(body.conversationId).add(body);
    if (type === 'receipt') this.receipts.push(body);
  }
}
