import { once } from 'node:events';
import { BEARER_PREFIX, SUBPROTOCOL } from '@parley/protocol';
import { WebSocket } from 'ws';
import type { EnginesApp } from '../../local/start-engines/app.ts';
import { until } from './fixtures.ts';

interface Reply {
  readonly id?: string;
  readonly ok?: boolean;
  readonly body?: Readonly<Record<string, unknown>>;
  readonly error?: { readonly code: string };
  /** Of the gateway's own error frames. */
  readonly message?: string;
}

interface Told {
  readonly type: string;
  readonly body: Readonly<Record<string, unknown>>;
}

/** One user on one socket, without an SDK in between. */
export class Phone {
  readonly events: Told[] = [];
  private readonly replies: Reply[] = [];
  private requests = 0;

  private constructor(readonly socket: WebSocket) {
    socket.on('message', (data: Buffer) => {
      const frame = JSON.parse(data.toString()) as Reply & { events?: Told[] };
      if (frame.events) this.events.push(...frame.events);
      else this.replies.push(frame);
    });
  }

  /** @throws with `status` when the upgrade is refused */
  static async open(app: Pick<EnginesApp, 'url' | 'socketUrl'>, userId: string, workspaceId: string): Promise<Phone> {
    const answer = await fetch(`${app.url}/dev/token`, {
      method: 'POST',
      body: JSON.stringify({ userId, workspaceId }),
    });
    const { token } = (await answer.json()) as { token: string };
    const socket = new WebSocket(app.socketUrl, [SUBPROTOCOL, `${BEARER_PREFIX}${token}`]);
    const refused = once(socket, 'unexpected-response').then((args) => {
      const { statusCode } = args[1] as { statusCode: number };
      socket.on('error', () => undefined).terminate();
      throw Object.assign(new Error('the upgrade was refused'), { status: statusCode });
    });
    await Promise.race([once(socket, 'open'), refused]);
    return new Phone(socket);
  }

  /** The reply, or the gateway's error frame. */
  async ask(action: string, body: object = {}): Promise<Reply> {
    const id = String(++this.requests);
    const known = this.replies.length;
    this.socket.send(JSON.stringify({ id, action, body }));
    const find = (): Reply | undefined =>
      this.replies.slice(known).find((reply) => reply.id === id || reply.message !== undefined);
    await until(() => find() !== undefined, `${action} is answered`);
    return find() ?? {};
  }

  /** The ids of the entries with this text that it was told of. */
  entries(text: string): unknown[] {
    return this.events
      .filter(({ type, body }) => type === 'entry' && (body['content'] as { text?: string } | undefined)?.text === text)
      .map(({ body }) => body['id']);
  }

  async close(): Promise<void> {
    this.socket.close();
    if (this.socket.readyState !== WebSocket.CLOSED) await once(this.socket, 'close');
  }
}

/** Two users in a conversation of their own. */
export async function meet(app: Pick<EnginesApp, 'url' | 'socketUrl'>) {
  const workspaceId = `w-${crypto.randomUUID().slice(0, 8)}`;
  const ana = await Phone.open(app, 'ana', workspaceId);
  const ben = await Phone.open(app, 'ben', workspaceId);
  await ana.ask('session.start');
  await ben.ask('session.start');
  const made = await ana.ask('conversation.create', {
    clientRequestId: crypto.randomUUID(),
    type: 'direct',
    memberIds: ['ben'],
  });
  const { conversationId } = made.body?.['conversation'] as { conversationId: string };
  const send = (text: string, clientMessageId: string = crypto.randomUUID()): Promise<Reply> =>
    ana.ask('message.send', { conversationId, clientMessageId, content: { type: 'text', text } });
  const close = async (): Promise<void> => {
    await ana.close();
    await ben.close();
  };
  return { ana, ben, workspaceId, conversationId, send, close };
}
