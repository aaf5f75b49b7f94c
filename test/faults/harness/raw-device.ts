import { once } from 'node:events';
import {
  BEARER_PREFIX,
  SUBPROTOCOL,
  type ActionName,
  type Body,
  type Entry,
  type Reply,
  type ServerEvent,
} from '@parley/protocol';
import { WebSocket } from 'ws';
import type { History, Seen } from '../history/history.ts';
import { TcpProxy } from '../proxy/tcp-proxy.ts';
import { tokenFor, type Place } from './place.ts';
import { seenOf } from './sdk-device.ts';

/** What came of a request: its answer, a refusal that says why, or nothing that says whether it took effect. */
export type Answer<A extends ActionName> =
  { readonly outcome: 'ok'; readonly body: Reply<A> } | { readonly outcome: 'fail' | 'info'; readonly code: string };

interface Frame {
  readonly id?: string;
  readonly ok?: boolean;
  readonly body?: unknown;
  readonly error?: { readonly code: string };
  /** Of the gateway's own error frames. */
  readonly message?: string;
  readonly events?: readonly ServerEvent[];
}

const ANSWER_TIMEOUT_MS = 35_000;
/** After these nobody knows whether the request took effect. */
const UNKNOWN = new Set(['UNAVAILABLE', 'INTERNAL']);

/** One socket without an SDK: nothing is repeated, deduplicated or ordered, unless a test does it. */
export class RawDevice {
  readonly got: Entry[] = [];
  /** Events of any kind that came. */
  told = 0;
  private readonly waiting = new Map<string, (frame: Frame | undefined) => void>();
  private requests = 0;
  private hasLeft = false;

  private constructor(
    readonly process: string,
    readonly userId: string,
    readonly socket: WebSocket,
    readonly network: TcpProxy,
    private readonly history: History,
  ) {
    history.record(process, 'ok', 'online', { online: true, syncs: false });
    socket.on('message', (data: Buffer) => this.take(JSON.parse(data.toString()) as Frame));
    socket.on('error', () => undefined);
    socket.on('close', () => {
      if (!this.hasLeft) history.record(process, 'ok', 'online', { online: false, syncs: false });
      for (const settle of this.waiting.values()) settle(undefined);
    });
  }

  /** @param name what the history calls the user, where it is not the one of the run */
  static async open(place: Place, history: History, userId: string, device: string, name = userId): Promise<RawDevice> {
    const { hostname, port, pathname } = new URL(place.socketUrl);
    const network = new TcpProxy({ host: hostname, port: Number(port) });
    await network.listen();
    const token = await tokenFor(place.url, userId, place.workspaceId);
    const socket = new WebSocket(`ws://127.0.0.1:${network.port}${pathname}`, [
      SUBPROTOCOL,
      `${BEARER_PREFIX}${token}`,
    ]);
    try {
      await once(socket, 'open');
    } catch (error) {
      await network.close();
      throw error;
    }
    return new RawDevice(`${name}/${device}`, userId, socket, network, history);
  }

  /** Asks once. No answer in 35 s, or a socket that ends before, is `info`. */
  async ask<A extends ActionName>(action: A, body: Body<A>, timeoutMs = ANSWER_TIMEOUT_MS): Promise<Answer<A>> {
    const id = String(++this.requests);
    const answered = new Promise<Frame | undefined>((resolve) => {
      const timer = setTimeout(() => settle(undefined), timeoutMs);
      const settle = (frame: Frame | undefined): void => {
        clearTimeout(timer);
        this.waiting.delete(id);
        resolve(frame);
      };
      this.waiting.set(id, settle);
    });
    if (this.socket.readyState !== WebSocket.OPEN) this.waiting.get(id)?.(undefined);
    else this.socket.send(JSON.stringify({ id, action, body }));
    const frame = await answered;
    if (frame?.ok === true) return { outcome: 'ok', body: frame.body as Reply<A> };
    const code = frame?.error?.code ?? frame?.message ?? 'no answer';
    const isKnown = frame?.error !== undefined && !UNKNOWN.has(code);
    return { outcome: isKnown ? 'fail' : 'info', code };
  }

  /** Sends once, and writes down what came of it. */
  async send(
    conversationId: string,
    text: string,
    key: string = crypto.randomUUID(),
    timeoutMs?: number,
  ): Promise<Answer<'message.send'>> {
    const asked = { conversationId, key, text };
    this.history.record(this.process, 'invoke', 'send', asked);
    const content = { type: 'text', text } as const;
    const answer = await this.ask('message.send', { conversationId, clientMessageId: key, content }, timeoutMs);
    if (answer.outcome === 'ok') {
      const { id, seq } = answer.body;
      this.history.record(this.process, 'ok', 'send', { ...asked, id, seq });
      // Its own connection is told by the answer alone.
      this.history.record(this.process, 'ok', 'receive', { conversationId, id, seq, kind: 'message', key, text });
    } else this.history.record(this.process, answer.outcome, 'send', { ...asked, code: answer.code });
    return answer;
  }

  /**
   * All that the server answers to one who knows nothing, a page after the other, until nothing is missing or `untilMs` has come.
   * Answers whether it is whole.
   */
  async readAll(conversationId: string, untilMs: number): Promise<boolean> {
    const entries: Seen[] = [];
    let after = { seq: 0, id: '0' };
    for (;;) {
      const answer = await this.ask('log.sync', { conversationId, after, limit: 200 }, ANSWER_TIMEOUT_MS);
      if (answer.outcome !== 'ok') {
        if (Date.now() > untilMs || answer.code === 'NOT_FOUND') return false;
        await pause(500);
        continue;
      }
      const { body } = answer;
      const known = new Set(entries.map(({ id }) => id));
      entries.push(...body.entries.map(seenOf).filter(({ id }) => !known.has(id)));
      const isWhole = body.completeToSeq >= body.headSeq;
      const last = body.entries.findLast(({ seq }) => seq <= body.completeToSeq);
      if (!isWhole && last) {
        after = { seq: last.seq, id: last.id };
        continue;
      }
      if (isWhole || Date.now() > untilMs) {
        entries.sort((a, b) => a.seq - b.seq);
        this.history.record(this.process, 'ok', 'read', { conversationId, entries, headSeq: body.headSeq });
        return isWhole;
      }
      await pause(Math.min(body.retryAfterMs ?? 500, 1_000));
    }
  }

  /** Without a word, as when a process is killed. */
  async vanish(): Promise<void> {
    const { socket } = this;
    socket.terminate();
    if (socket.readyState !== WebSocket.CLOSED) await once(socket, 'close');
  }

  /** The run is over: that it goes now is no part of it. */
  async leave(): Promise<void> {
    this.hasLeft = true;
    await this.close();
  }

  async close(): Promise<void> {
    await this.vanish();
    await this.network.close();
  }

  private take(frame: Frame): void {
    for (const event of frame.events ?? []) {
      this.told++;
      if (event.type === 'entry') {
        const { conversationId } = event.body;
        this.got.push(event.body);
        this.history.record(this.process, 'ok', 'receive', { conversationId, ...seenOf(event.body) });
        continue;
      }
      if (event.type === 'receipt') this.history.record(this.process, 'ok', 'receipt', event.body);
      this.history.record(this.process, 'ok', 'event', { type: event.type, ...aboutOf(event) });
    }
    if (frame.id !== undefined) this.waiting.get(frame.id)?.(frame);
    // The gateway's error frames name no request: they are the answer of the oldest one.
    else if (frame.message !== undefined) [...this.waiting.values()][0]?.(frame);
  }
}

/** What an event is about, in the words of a history. */
function aboutOf(event: ServerEvent): { conversationId?: string; userId?: string } {
  if (event.type === 'conversation') return { conversationId: event.body.conversation.conversationId };
  if (event.type === 'receipt' || event.type === 'typing') return { conversationId: event.body.conversationId };
  return event.type === 'presence' ? { userId: event.body.userId } : {};
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
