import { once } from 'node:events';
import { SUBPROTOCOL, type ActionName, type Body, type Reply, type ServerEvent } from '@parley/protocol';
import { WebSocket } from 'ws';
import type { ServerInfo } from './serve.ts';

/** A client without the SDK, so that the server is measured and not the SDK. */
export class BenchClient {
  /** Called with every event. */
  onEvent: (event: ServerEvent) => void = () => undefined;
  private readonly waiting = new Map<string, (reply: { ok: boolean; body: unknown; error?: unknown }) => void>();
  private nextId = 1;

  private constructor(
    readonly userId: string,
    readonly socket: WebSocket,
  ) {
    socket.on('message', (data: Buffer) => {
      const frame = JSON.parse(data.toString()) as { id?: string; events?: ServerEvent[] };
      if (frame.events) frame.events.forEach((event) => this.onEvent(event));
      else if (frame.id) this.settle(frame.id, frame as never);
    });
  }

  static async connect({ url, tokenUrl }: ServerInfo, userId: string): Promise<BenchClient> {
    const response = await fetch(tokenUrl!, { method: 'POST', body: JSON.stringify({ userId }) });
    const { token } = (await response.json()) as { token: string };
    const socket = new WebSocket(url, [SUBPROTOCOL, `bearer.${token}`], { perMessageDeflate: false });
    await once(socket, 'open');
    return new BenchClient(userId, socket);
  }

  request<A extends ActionName>(action: A, body: Body<A>): Promise<Reply<A>> {
    const id = String(this.nextId++);
    return new Promise((resolve, reject) => {
      this.waiting.set(id, ({ ok, body: reply, error }) =>
        ok ? resolve(reply as Reply<A>) : reject(new Error(`${action}: ${JSON.stringify(error)}`)),
      );
      this.socket.send(JSON.stringify({ action, id, body }));
    });
  }

  send(conversationId: string, text: string): Promise<Reply<'message.send'>> {
    const clientMessageId = crypto.randomUUID();
    return this.request('message.send', { conversationId, clientMessageId, content: { type: 'text', text } });
  }

  private settle(id: string, reply: { ok: boolean; body: unknown }): void {
    this.waiting.get(id)?.(reply);
    this.waiting.delete(id);
  }
}

/** A bare socket to the floor. */
export async function connectBare({ url }: ServerInfo): Promise<WebSocket> {
  const socket = new WebSocket(url, { perMessageDeflate: false });
  await once(socket, 'open');
  return socket;
}

/** `count` of something, at most `together` under way at once. */
export async function makeMany<T>(count: number, together: number, make: (index: number) => Promise<T>): Promise<T[]> {
  const made: T[] = [];
  for (let at = 0; at < count; at += together) {
    const group = Array.from({ length: Math.min(together, count - at) }, (_, i) => make(at + i));
    made.push(...(await Promise.all(group)));
  }
  return made;
}

/** The direct conversation with another user, made when there is none. */
export async function directOf(client: BenchClient, other: string): Promise<string> {
  const clientRequestId = crypto.randomUUID();
  const { conversation } = await client.request('conversation.create', {
    clientRequestId,
    type: 'direct',
    memberIds: [other],
  });
  return conversation.conversationId;
}
