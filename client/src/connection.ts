import { LIMITS } from '@parley/protocol';
import type { ActionName, Body, ErrorBody, Reply, ServerEvent } from '@parley/protocol';
import { localError, ParleyError, refusal } from './errors.ts';
import type { Timers } from './timers.ts';
import type { WebSocketLike } from './types.ts';

interface Pending {
  readonly resolve: (body: never) => void;
  readonly reject: (error: ParleyError) => void;
  readonly cancelTimeout: () => void;
}

interface Frame {
  readonly id?: string | null;
  readonly ok?: boolean;
  readonly body?: unknown;
  readonly error?: ErrorBody;
  readonly events?: readonly ServerEvent[];
  /** Only in frames of the gateway itself, which carry no `id`. */
  readonly message?: string;
}

export interface ConnectionHooks {
  events(events: readonly ServerEvent[], from: Connection): void;
  /** The token no longer counts. */
  unauthorised(from: Connection): void;
  /** Once, however the socket ended. */
  closed(from: Connection): void;
}

const encoder = new TextEncoder();
const TOKEN_ERRORS: readonly string[] = ['UNAUTHENTICATED', 'TOKEN_EXPIRED'];

/** Requests and events over one open socket. */
export class Connection {
  private readonly pending = new Map<string, Pending>();
  private lastId = 0;
  private open = true;
  private idle: (() => void) | undefined;

  constructor(
    private readonly socket: WebSocketLike,
    private readonly timers: Timers,
    private readonly requestTimeoutMs: number,
    private readonly hooks: ConnectionHooks,
  ) {
    socket.onmessage = (event: { data: unknown }) => this.receive(String(event.data));
    socket.onclose = () => this.drop();
    socket.onerror = () => undefined;
  }

  /**
   * @throws {ParleyError} as the server answered; OFFLINE when the socket ended before the answer came;
   *   UNAVAILABLE when the gateway says that some request failed; PAYLOAD_TOO_LARGE before anything is sent.
   */
  request<A extends ActionName>(action: A, body: Body<A>): Promise<Reply<A>> {
    if (!this.open) return Promise.reject(localError('OFFLINE'));
    const id = String(++this.lastId);
    const text = JSON.stringify({ action, id, body });
    if (encoder.encode(text).length > LIMITS.frameMaxBytes) return Promise.reject(tooLarge());
    return new Promise<Reply<A>>((resolve, reject) => {
      // Without an answer the socket is not to be trusted: half-open ones look just like this.
      const cancelTimeout = this.timers.after(this.requestTimeoutMs, () => this.drop());
      this.pending.set(id, { resolve, reject, cancelTimeout });
      this.socket.send(text);
    });
  }

  /** Lets what is under way finish, tells the server, and closes. */
  async end(): Promise<void> {
    if (this.pending.size > 0 && this.open) await new Promise<void>((resolve) => (this.idle = resolve));
    await this.request('session.end', {}).catch(() => undefined);
    this.drop();
  }

  /** Closes at once. Every open request fails with OFFLINE. */
  drop(): void {
    if (!this.open) return;
    this.open = false;
    this.socket.onmessage = null;
    this.socket.close(1000);
    this.rejectAll(localError('OFFLINE'));
    this.hooks.closed(this);
  }

  private receive(text: string): void {
    const frame = parse(text);
    if (!frame) return;
    if (Array.isArray(frame.events)) this.hooks.events(frame.events, this);
    else if (typeof frame.id === 'string') this.settle(frame.id, frame);
    else if (typeof frame.message === 'string') this.rejectAll(gatewayError(frame.message));
  }

  private settle(id: string, frame: Frame): void {
    const pending = this.take(id);
    if (!pending) return;
    if (frame.ok === true) pending.resolve(frame.body as never);
    else {
      const error = new ParleyError(frame.error ?? gatewayError('The answer has no body.'));
      pending.reject(error);
      if (TOKEN_ERRORS.includes(error.code)) this.hooks.unauthorised(this);
    }
    if (this.pending.size === 0) this.idle?.();
  }

  private take(id: string): Pending | undefined {
    const pending = this.pending.get(id);
    pending?.cancelTimeout();
    this.pending.delete(id);
    return pending;
  }

  /** The gateway does not say which request it means, so the outcome of each is unknown: all may be repeated with the same keys. */
  private rejectAll(error: ParleyError): void {
    for (const id of [...this.pending.keys()]) this.take(id)?.reject(error);
    this.idle?.();
  }
}

function parse(text: string): Frame | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? value : undefined;
  } catch {
    return undefined;
  }
}

function gatewayError(message: string): ParleyError {
  return new ParleyError({
    code: 'UNAVAILABLE',
    message,
    remediation: 'Whether the request took effect is unknown: send it again with the same client key.',
    temporary: true,
    retryAfterMs: 0,
  });
}

function tooLarge(): ParleyError {
  return refusal(
    'PAYLOAD_TOO_LARGE',
    `The request is larger than one frame of ${LIMITS.frameMaxBytes} bytes.`,
    'Send less at once; characters that JSON escapes count up to six bytes.',
  );
}
