import type {
  Content,
  Conversation,
  DeletedEntry,
  EditEntry,
  Entry,
  MemberEntry,
  MessageEntry,
  Receipt,
} from '@parley/protocol';
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
  private readonly cache = new WeakMap<Said, Message>();
  /** Of each member, the latest change that was taken. */
  private readonly changes = new Map<string, MemberEntry>();
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
    // It may have been on its way while members changed.
    const since = [...this.changes.values()].filter(({ seq }) => seq > info.headSeq).sort((a, b) => a.seq - b.seq);
    this.info = since.reduce(withChange, info);
    if (info.epoch === this.timeline.epoch) this.timeline.headSeq = Math.max(this.timeline.headSeq, info.headSeq);
    this.tell(info.me);
  }

  /** Takes who has joined or left, unless `info` knows it already. Answers whether more may have changed than the entry says. */
  memberChanged(entry: MemberEntry): boolean {
    const { userId, change, seq } = entry;
    if (seq <= Math.max(this.info.headSeq, this.changes.get(userId)?.seq ?? 0)) return false;
    const left = this.info.members?.find((member) => member.userId === userId);
    this.changes.set(userId, entry);
    this.info = withChange(this.info, entry);
    if (change === 'left') this.receipts.delete(userId);
    // Somebody else may be the owner now.
    return change === 'left' && left?.role !== 'member';
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
      ...this.render(this.timeline.waiting().filter((entry) => isSaid(entry) && entry.senderId === this.me)),
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
      role: info.me.role,
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

  message(entry: Said): Message {
    const status = this.statusOf(entry);
    const edit = this.timeline.editOf(entry.id);
    const known = this.cache.get(entry);
    if (known?.status === status && known.editedAtMs === edit?.sentAtMs) return known;
    const message = toMessage(entry, edit, status);
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
    return entries.filter(isSaid).map((entry) => this.message(entry));
  }

  private statusOf(entry: Said): Message['status'] {
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

/** A message, with its words or without them any more. */
type Said = MessageEntry | DeletedEntry;

export function isSaid(entry: Entry): entry is Said {
  return entry.kind === 'message' || entry.kind === 'deleted';
}

export function isMessage(entry: Entry): entry is MessageEntry {
  return entry.kind === 'message';
}

function withChange(info: Conversation, { userId, change, role = 'member' }: MemberEntry): Conversation {
  const { members, memberCount } = info;
  const others = members?.filter((member) => member.userId !== userId);
  return {
    ...info,
    memberCount: Math.max(1, memberCount + (change === 'joined' ? 1 : -1)),
    ...(others && { members: change === 'joined' ? [...others, { userId, role }] : others }),
  };
}

const NOTHING: Content = { type: 'text', text: '' };

function toMessage(entry: Said, edit: EditEntry | undefined, status: Message['status']): Message {
  const said = entry.kind === 'message' ? entry : undefined;
  const content = said ? (edit ?? said).content : NOTHING;
  return {
    // Another sender may have chosen any key, so only own ones are good for telling messages apart.
    key: status === 'received' ? entry.id : entry.clientMessageId,
    conversationId: entry.conversationId,
    id: entry.id,
    seq: entry.seq,
    senderId: entry.senderId,
    mine: status !== 'received',
    text: content.text,
    content,
    sentAtMs: entry.sentAtMs,
    status,
    replyToId: said?.replyToId,
    mentions: said?.mentions,
    ...(said && edit && { editedAtMs: edit.sentAtMs }),
    ...(!said && { deleted: true }),
  };
}

function raise(known: Receipted, seen: Readonly<Receipted>): boolean {
  const more = seen.deliveredSeq > known.deliveredSeq || seen.readSeq > known.readSeq;
  known.deliveredSeq = Math.max(known.deliveredSeq, seen.deliveredSeq);
  known.readSeq = Math.max(known.readSeq, seen.readSeq);
  return more;
}
