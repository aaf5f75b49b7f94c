import { once } from 'node:events';
import { LIMITS, type ActionName, type Body, type ErrorBody, type Reply, type ServerEvent } from '@parley/protocol';
import { WebSocket } from 'ws';
import { until } from './until.ts';
import type { User } from './user.ts';

export interface Answer {
  /** As it came. */
  readonly raw: string;
  readonly frame: {
    readonly id: string | null;
    readonly ok: boolean;
    readonly body?: unknown;
    readonly error?: ErrorBody;
  };
}

/** A socket of a user, which sends whatever it is told to and keeps all that it gets. */
export class Wire {
  /** All frames as they came. */
  readonly raw: string[] = [];
  readonly answers: Answer[] = [];
  readonly events: ServerEvent[] = [];
  /** The code of the close, once closed. */
  closeCode: number | undefined;
  private asked = 0;

  private constructor(
    readonly socket: WebSocket,
    readonly user: User,
  ) {
    socket.on('message', (data) => this.receive((data as Buffer).toString()));
    socket.on('error', () => undefined);
    socket.on('close', (code) => (this.closeCode = code));
  }

  /** @throws when the upgrade is refused. */
  static async open(url: string, protocols: string[], user: User): Promise<Wire> {
    const wire = new Wire(new WebSocket(url, protocols), user);
    await once(wire.socket, 'open');
    return wire;
  }

  get isOpen(): boolean {
    return this.socket.readyState === WebSocket.OPEN;
  }

  /** Sends one text message of just these bytes, in frames as large as the gateway takes. */
  send(message: string | Buffer): void {
    const bytes = Buffer.from(message);
    let start = 0;
    for (; bytes.length - start > LIMITS.frameMaxBytes; start += LIMITS.frameMaxBytes) {
      this.socket.send(bytes.subarray(start, start + LIMITS.frameMaxBytes), { binary: false, fin: false });
    }
    this.socket.send(bytes.subarray(start), { binary: false, fin: true });
  }

  /** Sends a message and waits for its answer; messages are to be asked one after the other. */
  async ask(message: string | Buffer): Promise<Answer> {
    const place = this.asked++;
    this.send(message);
    await until(() => this.answers.length > place || !this.isOpen, `an answer to ${message.toString().slice(0, 200)}`);
    const answer = this.answers[place];
    if (!answer) throw new Error(`closed with ${String(this.closeCode)} instead of an answer`);
    return answer;
  }

  /** A good request. @throws when it is refused. */
  async call<A extends ActionName>(action: A, body: Body<A>): Promise<Reply<A>> {
    const { frame, raw } = await this.ask(frameOf(action, body));
    if (!frame.ok) throw new Error(`${action} was refused: ${raw}`);
    return frame.body as Reply<A>;
  }

  /** Sends many at once, and answers the answers in the order of the messages: each must have an id of its own. */
  async askAll(messages: readonly string[]): Promise<Answer[]> {
    const start = this.answers.length;
    for (const message of messages) this.send(message);
    await until(() => this.answers.length >= start + messages.length || !this.isOpen, `${messages.length} answers`);
    this.asked = this.answers.length;
    const byId = new Map(this.answers.slice(start).map((answer) => [answer.frame.id, answer]));
    return messages.map((message) => {
      const { id } = JSON.parse(message) as { id: string };
      const answer = byId.get(id);
      if (!answer) throw new Error(`no answer to ${id}`);
      return answer;
    });
  }

  async closed(): Promise<number> {
    await until(() => this.closeCode !== undefined, 'the socket is closed');
    return this.closeCode ?? 0;
  }

  private receive(raw: string): void {
    this.raw.push(raw);
    const frame = JSON.parse(raw) as Answer['frame'] | { events: ServerEvent[] };
    if ('events' in frame) this.events.push(...frame.events);
    else this.answers.push({ raw, frame });
  }
}

let lastId = 0;

/** The text of a request with an id of its own. */
export function frameOf(action: string, body: unknown): string {
  return JSON.stringify({ action, id: `f${++lastId}`, body });
}
