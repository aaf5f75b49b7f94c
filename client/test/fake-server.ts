import type { AddressInfo } from 'node:net';
import type { IncomingMessage } from 'node:http';
import { makeId } from '@parley/protocol';
import type {
  ActionName,
  Body,
  Conversation,
  Entry,
  ErrorCode,
  MessageEntry,
  Receipt,
  ServerEvent,
} from '@parley/protocol';
import { WebSocketServer, type WebSocket } from 'ws';

export interface FakeRequest {
  readonly action: ActionName;
  readonly id: string;
  readonly body: never;
  readonly from: FakeSocket;
}

export interface FakeSocket {
  readonly userId: string;
  readonly deviceId: string;
  readonly token: string;
  readonly socket: WebSocket;
  started: boolean;
}

/** What a test makes of one request: an error, no answer at all, the gateway's own frame, or `done` when it has answered by itself. */
export type Fault = ErrorCode | 'silence' | 'gateway' | 'done' | undefined;

interface FakeConversation {
  readonly info: Omit<Conversation, 'headSeq' | 'me'>;
  readonly entries: Map<number, Entry>;
  readonly receipts: Map<string, Receipt>;
  headSeq: number;
}

const SESSION_ENTRIES_MAX = 50;

/**
 * Speaks enough of parley.v1 to play the faults that a real server does not produce on demand. A token is `{userId}` or
 * `{userId}.{anything}`.
 */
export class FakeServer {
  readonly sockets = new Set<FakeSocket>();
  readonly requests: FakeRequest[] = [];
  readonly handshakes: { token: string; status: number }[] = [];
  readonly conversations = new Map<string, FakeConversation>();
  /** Statuses for the next handshakes. */
  refusals: number[] = [];
  fault: (request: FakeRequest) => Fault | Promise<Fault> = () => undefined;
  /** Whether an appended entry is pushed at once. */
  live = true;
  /** Whether the sender's own socket is told too. */
  echo = false;
  heartbeatIntervalMs = 30_000;
  socketLivesMs = 7_200_000;
  /** Seqs that are reserved and not stored yet, as `{conversationId}/{seq}`. */
  readonly pending = new Set<string>();
  /** Whom each socket wants to see. */
  readonly watched = new Map<FakeSocket, readonly string[]>();
  private made = 0;
  private readonly sends = new Map<string, MessageEntry>();

  private constructor(private readonly server: WebSocketServer) {}

  static async start(): Promise<FakeServer> {
    const holder: { fake?: FakeServer } = {};
    const server = new WebSocketServer({
      host: '127.0.0.1',
      port: 0,
      handleProtocols: () => 'parley.v1',
      verifyClient: ({ req }, answer) => holder.fake!.verify(req, answer),
    });
    await new Promise((resolve) => server.once('listening', resolve));
    const fake = (holder.fake = new FakeServer(server));
    server.on('connection', (socket, request) => fake.accept(socket, request));
    return fake;
  }

  get url(): string {
    return `ws://127.0.0.1:${(this.server.address() as AddressInfo).port}/local`;
  }

  async close(): Promise<void> {
    for (const { socket } of this.sockets) socket.terminate();
    await new Promise((resolve) => this.server.close(resolve));
  }

  create(conversationId: string, userIds: readonly string[], type: 'direct' | 'group' = 'direct', epoch = 1): void {
    this.conversations.set(conversationId, {
      info: {
        conversationId,
        type,
        ...(type === 'group' ? { title: conversationId } : {}),
        epoch,
        memberCount: userIds.length,
        members: userIds.map((userId) => ({ userId, role: 'member' })),
        createdAtMs: 1,
      },
      entries: new Map(),
      receipts: new Map(userIds.map((userId) => [userId, { userId, deliveredSeq: 0, readSeq: 0 }])),
      headSeq: 0,
    });
  }

  /** Stores a message of `senderId`, and pushes it when `live`. */
  append(conversationId: string, senderId: string, text: string): MessageEntry {
    return this.store(conversationId, senderId, {
      clientMessageId: `00000000-0000-4000-8000-${String(++this.made).padStart(12, '0')}`,
      content: { type: 'text', text },
    });
  }

  appendVoid(conversationId: string): Entry {
    const conversation = this.conversations.get(conversationId)!;
    const seq = ++conversation.headSeq;
    const entry: Entry = { kind: 'void', conversationId, id: this.id(seq), seq };
    conversation.entries.set(seq, entry);
    return entry;
  }

  texts(conversationId: string): string[] {
    const entries = [...this.conversations.get(conversationId)!.entries.values()];
    return entries.flatMap((entry) => (entry.kind === 'message' ? [entry.content.text] : []));
  }

  push(userId: string, ...events: ServerEvent[]): void {
    for (const one of this.sockets) if (one.userId === userId) one.socket.send(JSON.stringify({ events }));
  }

  pushEntry(userId: string, ...entries: Entry[]): void {
    this.push(userId, ...entries.map((body) => ({ type: 'entry' as const, body })));
  }

  reply(request: FakeRequest, body: unknown): void {
    request.from.socket.send(JSON.stringify({ id: request.id, ok: true, body }));
  }

  asked(action: ActionName): FakeRequest[] {
    return this.requests.filter((request) => request.action === action);
  }

  socketsOf(userId: string): FakeSocket[] {
    return [...this.sockets].filter((one) => one.userId === userId);
  }

  private id(seq: number): string {
    return makeId(1_700_000_000_000 + seq, ++this.made);
  }

  private store(
    conversationId: string,
    senderId: string,
    message: Pick<MessageEntry, 'clientMessageId' | 'content' | 'replyToId' | 'mentions'>,
    from?: FakeSocket,
  ): MessageEntry {
    const conversation = this.conversations.get(conversationId)!;
    const seq = ++conversation.headSeq;
    const sentAtMs = 1_700_000_000_000 + seq;
    const entry = { kind: 'message' as const, conversationId, id: this.id(seq), seq, senderId, sentAtMs, ...message };
    conversation.entries.set(seq, entry);
    if (this.live) {
      const frame = JSON.stringify({ events: [{ type: 'entry', body: entry }] });
      for (const one of this.sockets)
        if (conversation.receipts.has(one.userId) && (one !== from || this.echo)) one.socket.send(frame);
    }
    return entry;
  }

  private verify(request: IncomingMessage, answer: (accepted: boolean, status?: number) => void): void {
    const status = this.refusals.shift() ?? 101;
    this.handshakes.push({ token: tokenOf(request), status });
    answer(status === 101, status);
  }

  private accept(socket: WebSocket, request: IncomingMessage): void {
    const token = tokenOf(request);
    const deviceId = new URL(request.url ?? '', 'ws://localhost').searchParams.get('deviceId') ?? '';
    const one: FakeSocket = { userId: token.split('.')[0]!, deviceId, token, socket, started: false };
    this.sockets.add(one);
    socket.on('close', () => this.sockets.delete(one));
    socket.on('message', (data: Buffer) => {
      const frame = JSON.parse(data.toString()) as Omit<FakeRequest, 'from'>;
      void this.handle({ ...frame, from: one });
    });
  }

  private async handle(request: FakeRequest): Promise<void> {
    this.requests.push(request);
    const { id, from } = request;
    const fault = await this.fault(request);
    if (fault === 'silence' || fault === 'done') return;
    if (fault === 'gateway') {
      from.socket.send('{"message": "Internal server error", "connectionId":"c=", "requestId":"r="}');
      return;
    }
    const result = fault ?? this.answer(request);
    if (typeof result !== 'string') {
      this.reply(request, result);
      return;
    }
    const temporary = ['RATE_LIMITED', 'UNAVAILABLE', 'INTERNAL'].includes(result);
    const error = { code: result, message: 'no', remediation: 'do', temporary, retryAfterMs: temporary ? 1 : 0 };
    from.socket.send(JSON.stringify({ id, ok: false, error }));
  }

  /** Has the effect of the request, and returns what the answer would be. */
  answer({ action, body, from }: FakeRequest): object | ErrorCode {
    const { userId } = from;
    switch (action) {
      case 'session.start':
        return this.start(body, from);
      case 'heartbeat': {
        const heads = Object.entries((body as Body<'heartbeat'>).heads ?? {});
        const behind = heads.flatMap(([conversationId, seq]) => {
          const headSeq = this.conversations.get(conversationId)?.headSeq ?? 0;
          return headSeq > seq ? [{ conversationId, headSeq }] : [];
        });
        return { serverTimeMs: Date.now(), behind, presence: this.presencesFor(from) };
      }
      case 'presence.watch': {
        this.watched.set(from, (body as Body<'presence.watch'>).userIds);
        return { presence: this.presencesFor(from) };
      }
      case 'message.send':
        return this.send(body, from);
      case 'log.sync':
        return this.syncLog(body);
      case 'log.page':
        return this.page(body);
      case 'receipt.set': {
        const { conversationId, deliveredSeq = 0, readSeq = 0 } = body as Body<'receipt.set'>;
        const known = this.conversations.get(conversationId)!.receipts.get(userId)!;
        const receipt = {
          userId,
          deliveredSeq: Math.max(known.deliveredSeq, deliveredSeq, readSeq),
          readSeq: Math.max(known.readSeq, readSeq),
        };
        this.conversations.get(conversationId)!.receipts.set(userId, receipt);
        for (const other of this.conversations.get(conversationId)!.receipts.keys())
          if (other !== userId) this.push(other, { type: 'receipt', body: { conversationId, ...receipt } });
        return receipt;
      }
      case 'receipts.get': {
        const { conversationId } = body as Body<'receipts.get'>;
        return { receipts: [...this.conversations.get(conversationId)!.receipts.values()] };
      }
      case 'conversation.create': {
        const { clientRequestId, type, memberIds = [] } = body as Body<'conversation.create'>;
        const conversationId = type === 'direct' ? [userId, ...memberIds].sort().join('-') : clientRequestId;
        if (!this.conversations.has(conversationId)) this.create(conversationId, [userId, ...memberIds], type);
        return { conversation: this.conversationFor(conversationId, userId) };
      }
      case 'conversation.get': {
        const { conversationId } = body as Body<'conversation.get'>;
        if (!this.conversations.has(conversationId)) return 'NOT_FOUND';
        return { conversation: this.conversationFor(conversationId, userId) };
      }
      case 'workspace.members':
        return { members: [...this.sockets].map((one) => ({ userId: one.userId })) };
      default:
        return {};
    }
  }

  conversationFor(conversationId: string, userId: string): Conversation {
    const { info, headSeq, receipts } = this.conversations.get(conversationId)!;
    const { deliveredSeq, readSeq } = receipts.get(userId)!;
    return { ...info, headSeq, me: { role: 'member', joinedSeq: 0, deliveredSeq, readSeq } };
  }

  private presencesFor(from: FakeSocket): object[] {
    const stateOf = (id: string) => (this.socketsOf(id).length > 0 ? 'online' : 'offline');
    return (this.watched.get(from) ?? []).map((id) => ({ userId: id, state: stateOf(id) }));
  }

  private start({ cursors = {} }: Body<'session.start'>, from: FakeSocket): object {
    from.started = true;
    const mine = [...this.conversations].filter(([, { receipts }]) => receipts.has(from.userId));
    const conversations = mine.flatMap(([conversationId, { info, headSeq }]) => {
      const cursor = cursors[conversationId];
      const known = cursor?.epoch === info.epoch ? cursor : undefined;
      if (known?.seq === headSeq) return [];
      const stored = this.after(conversationId, known?.seq ?? 0);
      const entries = known ? stored.slice(0, SESSION_ENTRIES_MAX) : stored.slice(-SESSION_ENTRIES_MAX);
      const limited = entries.length < stored.length;
      const completeToSeq = runFrom(known?.seq ?? (entries[0]?.seq ?? 1) - 1, entries);
      return [{ ...this.conversationFor(conversationId, from.userId), entries, completeToSeq, limited }];
    });
    const ids = new Set(mine.map(([conversationId]) => conversationId));
    return {
      userId: from.userId,
      workspaceId: 'demo',
      deviceId: from.deviceId,
      serverTimeMs: Date.now(),
      socketEndsAtMs: Date.now() + this.socketLivesMs,
      heartbeatIntervalMs: this.heartbeatIntervalMs,
      limits: { textMaxBytes: 16_384, messageMaxBytes: 131_072, groupMembersMax: 500 },
      conversations,
      gone: Object.keys(cursors).filter((conversationId) => !ids.has(conversationId)),
    };
  }

  private send(body: Body<'message.send'>, from: FakeSocket): object | ErrorCode {
    const { conversationId, clientMessageId, ...rest } = body;
    if (!this.conversations.has(conversationId)) return 'NOT_FOUND';
    const key = `${from.userId}/${conversationId}/${clientMessageId}`;
    const entry = this.sends.get(key) ?? this.store(conversationId, from.userId, { clientMessageId, ...rest }, from);
    this.sends.set(key, entry);
    return { conversationId, id: entry.id, seq: entry.seq, sentAtMs: entry.sentAtMs };
  }

  private syncLog({ conversationId, epoch, after, limit = 100 }: Body<'log.sync'>): object | ErrorCode {
    const conversation = this.conversations.get(conversationId);
    if (!conversation) return 'NOT_FOUND';
    if (epoch !== undefined && epoch !== conversation.info.epoch) return 'INVALID_CURSOR';
    if (after.seq > 0 && conversation.entries.get(after.seq)?.id !== after.id) return 'INVALID_CURSOR';
    const stored = this.after(conversationId, after.seq);
    const entries = stored.slice(0, limit);
    const last = entries.at(-1);
    const completeToSeq = runFrom(after.seq, entries);
    const limited = entries.length < stored.length;
    return {
      epoch: conversation.info.epoch,
      headSeq: conversation.headSeq,
      entries,
      completeToSeq,
      limited,
      ...(limited && last ? { next: { seq: last.seq, id: last.id } } : {}),
      ...(completeToSeq < (limited ? last!.seq : conversation.headSeq) ? { retryAfterMs: 1 } : {}),
    };
  }

  private page({ conversationId, beforeId, limit = 50 }: Body<'log.page'>): object {
    const stored = this.after(conversationId, 0).filter((entry) => !beforeId || BigInt(entry.id) < BigInt(beforeId));
    const entries = stored.slice(-limit).reverse();
    return { entries, ...(entries.length < stored.length ? { nextBeforeId: entries.at(-1)!.id } : {}) };
  }

  private after(conversationId: string, seq: number): Entry[] {
    return [...this.conversations.get(conversationId)!.entries.values()]
      .filter((entry) => entry.seq > seq && !this.pending.has(`${conversationId}/${entry.seq}`))
      .sort((a, b) => a.seq - b.seq);
  }
}

function runFrom(seq: number, entries: readonly Entry[]): number {
  let last = seq;
  for (const entry of entries) if (entry.seq === last + 1) last++;
  return last;
}

function tokenOf(request: IncomingMessage): string {
  const offered = (request.headers['sec-websocket-protocol'] ?? '').split(',').map((part) => part.trim());
  return offered.find((part) => part.startsWith('bearer.'))?.slice('bearer.'.length) ?? '';
}
