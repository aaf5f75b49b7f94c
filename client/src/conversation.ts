import type { Conversation, Entry, MessageEntry, Receipt } from '@parley/protocol';
import type { StoredConversation } from './store.ts';
import type { Timeline } from './timeline.ts';
import type { ConversationView, Message } from './types.ts';

interface Receipted {
  deliveredSeq: number;
  readSeq: number;
}

/** One conversation as this client knows it. */
export class ConversationState {
  /** Of the other members; only grow. */
  readonly receipts = new Map<string, Receipted>();
  /** What this user wants to have said; `told` is what the server holds. Both only grow. */
  readonly own: Receipted;
  readonly told: Receipted;
  readonly typing = new Set<string>();
  loadingOlder: Promise<void> | undefined;
  /** What is held does not fit the server's log, and must be fetched anew. */
  broken = false;
  /** The server has it no more; it is kept for what waits in the outbox. Its log is not asked for and takes nothing. */
  gone = false;
  /** Entries up to here are history: shown, but not announced as new. */
  quietToSeq = 0;
  private readonly cache = new WeakMap<MessageEntry, Message>();
  private messagesNow: readonly Message[] | undefined;
  private viewNow: ConversationView | undefined;
  private coveredNow: Receipted | undefined;

  constructor(
    public info: Conversation,
    public timeline: Timeline,
    private readonly me: string,
    private readonly queued: (conversationId: string) => readonly Message[],
  ) {
    this.own = { deliveredSeq: info.me.deliveredSeq, readSeq: info.me.readSeq };
    this.told = { ...this.own };
    timeline.headSeq = Math.max(timeline.headSeq, info.headSeq);
  }

  get id(): string {
    return this.info.conversationId;
  }

  /** Whether the server must be asked. */
  get stale(): boolean {
    return !this.gone && (this.broken || this.timeline.behind);
  }

  /** Takes newer settings; receipts and heads never go back. */
  update(info: Conversation): void {
    this.info = info;
    if (info.epoch === this.timeline.epoch) this.timeline.headSeq = Math.max(this.timeline.headSeq, info.headSeq);
    this.tell(info.me);
  }

  /** Raises what this user wants to have said; whether it was less before. */
  want(seen: Readonly<Receipted>): boolean {
    return raise(this.own, seen);
  }

  /** Takes what the server holds of this user's receipts. */
  tell(seen: Readonly<Receipted>): boolean {
    raise(this.told, seen);
    this.info = { ...this.info, me: { ...this.info.me, ...this.told } };
    return raise(this.own, seen);
  }

  /** For a log that begins anew: receipts of the old one say nothing. */
  forgetReceipts(info: Conversation): void {
    this.receipts.clear();
    for (const receipt of [this.own, this.told]) {
      receipt.deliveredSeq = info.me.deliveredSeq;
      receipt.readSeq = info.me.readSeq;
    }
  }

  /** Whether it says more than was known. */
  setReceipt({ userId, deliveredSeq, readSeq }: Receipt): boolean {
    const seen = { deliveredSeq: Math.max(deliveredSeq, readSeq), readSeq };
    if (userId === this.me) return this.tell(seen);
    const known = this.receipts.get(userId);
    if (known) return raise(known, seen);
    this.receipts.set(userId, seen);
    return true;
  }

  /** Forgets what was rendered; the next look renders anew. */
  changed(): void {
    this.messagesNow = undefined;
    this.viewNow = undefined;
    this.coveredNow = undefined;
  }

  /** Shown entries, own ones whose turn has not come, and queued ones. The same array until something changes. */
  messages(): readonly Message[] {
    return (this.messagesNow ??= [
      ...this.render(this.timeline.visible()),
      ...this.render(this.timeline.waiting().filter((entry) => isMessage(entry) && entry.senderId === this.me)),
      ...this.queued(this.id),
    ]);
  }

  view(): ConversationView {
    const { info, timeline, own } = this;
    return (this.viewNow ??= {
      conversationId: info.conversationId,
      type: info.type,
      title: info.title,
      memberCount: info.memberCount,
      members: info.members,
      headSeq: timeline.headSeq,
      readSeq: own.readSeq,
      deliveredSeq: own.deliveredSeq,
      unread: this.gone ? 0 : this.unread(),
      lastMessage: this.messages().at(-1),
      receipts: new Map([...this.receipts].map(([userId, receipt]) => [userId, { ...receipt }])),
      typing: [...this.typing],
      hasOlder: !this.gone && timeline.hasOlder,
      loadingOlder: this.loadingOlder !== undefined,
      createdAtMs: info.createdAtMs,
      gone: this.gone,
    });
  }

  message(entry: MessageEntry): Message {
    const status = this.statusOf(entry);
    const known = this.cache.get(entry);
    if (known?.status === status) return known;
    const message = toMessage(entry, status);
    this.cache.set(entry, message);
    return message;
  }

  /** Up to where all other members have got and read. 0 while one of them is unknown. */
  covered(): Receipted {
    return (this.coveredNow ??= this.findCovered());
  }

  /** Whether a message of someone else stands after `seq`, as far as held. */
  hasForeignAfter(seq: number): boolean {
    const { timeline } = this;
    return timeline
      .newest(Math.max(0, timeline.headSeq - seq))
      .some((entry) => entry.seq > seq && entry.seq <= timeline.held && isMessage(entry) && entry.senderId !== this.me);
  }

  toStored(): StoredConversation {
    return {
      info: this.info,
      cursor: this.timeline.cursor,
      headSeq: this.timeline.headSeq,
      ...(this.timeline.bottom === undefined ? {} : { bottom: this.timeline.bottom }),
      ...this.own,
      receipts: [...this.receipts].map(([userId, receipt]) => ({ userId, ...receipt })),
      ...(this.gone ? { gone: true } : {}),
    };
  }

  private findCovered(): Receipted {
    const others = this.info.members?.filter(({ userId }) => userId !== this.me).map(({ userId }) => userId);
    const receipts = (others ?? [...this.receipts.keys()]).map((userId) => this.receipts.get(userId));
    const known = receipts.filter((receipt) => receipt !== undefined);
    if (known.length === 0 || known.length < this.info.memberCount - 1) return { deliveredSeq: 0, readSeq: 0 };
    return {
      deliveredSeq: Math.min(...known.map(({ deliveredSeq }) => deliveredSeq)),
      readSeq: Math.min(...known.map(({ readSeq }) => readSeq)),
    };
  }

  private render(entries: readonly Entry[]): Message[] {
    return entries.filter(isMessage).map((entry) => this.message(entry));
  }

  private statusOf(entry: MessageEntry): Message['status'] {
    if (entry.senderId !== this.me) return 'received';
    const covered = this.covered();
    return entry.seq <= covered.readSeq ? 'read' : entry.seq <= covered.deliveredSeq ? 'delivered' : 'sent';
  }

  /** Numbers beyond `readSeq`, less those that are known to be nobody else's message. */
  private unread(): number {
    const beyond = this.timeline.headSeq - this.own.readSeq;
    const known = this.timeline.newest(Math.max(0, beyond)).filter((entry) => entry.seq > this.own.readSeq);
    return Math.max(0, beyond - known.filter((entry) => !isMessage(entry) || entry.senderId === this.me).length);
  }
}

export function isMessage(entry: Entry): entry is MessageEntry {
  return entry.kind === 'message';
}

function toMessage(entry: MessageEntry, status: Message['status']): Message {
  return {
    // Another sender may have chosen any key, so only own ones are good for telling messages apart.
    key: status === 'received' ? entry.id : entry.clientMessageId,
    conversationId: entry.conversationId,
    id: entry.id,
    seq: entry.seq,
    senderId: entry.senderId,
    mine: status !== 'received',
    text: entry.content.text,
    content: entry.content,
    sentAtMs: entry.sentAtMs,
    status,
    replyToId: entry.replyToId,
    mentions: entry.mentions,
  };
}

function raise(known: Receipted, seen: Readonly<Receipted>): boolean {
  const more = seen.deliveredSeq > known.deliveredSeq || seen.readSeq > known.readSeq;
  known.deliveredSeq = Math.max(known.deliveredSeq, seen.deliveredSeq);
  known.readSeq = Math.max(known.readSeq, seen.readSeq);
  return more;
}
