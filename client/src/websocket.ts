import { BEARER_PREFIX, SUBPROTOCOL } from '@parley/protocol';
import { localError } from './errors.ts';
import type { Timers } from './timers.ts';
import type { WebSocketClass, WebSocketLike } from './types.ts';

interface OpenOptions {
  readonly url: string;
  readonly token: string;
  readonly deviceId: string;
  readonly webSocket: WebSocketClass | undefined;
  readonly timeoutMs: number;
  readonly timers: Timers;
  /** Aborted when the client closes. */
  readonly signal: AbortSignal;
}

/** A handshake that failed. Browsers hide why; where the status is known, `tokenSuspect` follows it. */
export class HandshakeError extends Error {
  readonly tokenSuspect: boolean;
  constructor(reason: string) {
    super(`The handshake failed: ${reason}`);
    const status = /response: (\d{3})/.exec(reason)?.[1];
    this.tokenSuspect = status === undefined || status === '401' || status === '403';
  }
}

/**
 * Opens one socket; the token travels as a sub-protocol, never in the url.
 * @throws {ParleyError} CONNECT_FAILED; its cause is a HandshakeError.
 */
export async function openSocket(options: OpenOptions): Promise<WebSocketLike> {
  const Socket = options.webSocket ?? (await defaultClass());
  if (options.signal.aborted) throw localError('CLOSED');
  const url = `${options.url}?deviceId=${encodeURIComponent(options.deviceId)}`;
  return new Promise((resolve, reject) => {
    const fail = (reason: string): void => reject(localError('CONNECT_FAILED', new HandshakeError(reason)));
    let socket: WebSocketLike;
    try {
      socket = new Socket(url, [SUBPROTOCOL, BEARER_PREFIX + options.token]);
    } catch (error) {
      fail(String(error));
      return;
    }
    const giveUp = (): void => {
      fail('no answer in time');
      socket.close();
    };
    const cancelTimeout = options.timers.after(options.timeoutMs, giveUp);
    const cancel = (): void => {
      cancelTimeout();
      options.signal.removeEventListener('abort', giveUp);
    };
    options.signal.addEventListener('abort', giveUp);
    socket.onopen = () => {
      cancel();
      if (socket.protocol === SUBPROTOCOL) resolve(socket);
      else {
        fail(`the server speaks ${JSON.stringify(socket.protocol)}, not ${SUBPROTOCOL}`);
        socket.close();
      }
    };
    socket.onerror = (event: { message?: unknown }) => {
      cancel();
      fail(typeof event.message === 'string' ? event.message : 'the browser does not say why');
    };
    socket.onclose = () => {
      cancel();
      fail('closed');
    };
  });
}

async function defaultClass(): Promise<WebSocketClass> {
  const scope: { WebSocket?: WebSocketClass } = globalThis;
  if (scope.WebSocket) return scope.WebSocket;
  const module = (await importPackage('ws')) as { WebSocket: WebSocketClass };
  return module.WebSocket;
}

/** The name is an argument so that bundlers for browsers, which never come here, do not look for the package. */
function importPackage(name: string): Promise<unknown> {
  return import(/* webpackIgnore: true */ /* @vite-ignore */ name);
}
