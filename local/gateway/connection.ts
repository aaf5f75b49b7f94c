import { WebSocket, type RawData } from 'ws';
import { CLOSINGS, NO_STATUS, type Closing } from './settings.ts';

/** What happens to connections, told to the gateway. One object for all of them. */
export interface ConnectionListener {
  received(connection: Connection, text: string): void;
  closed(connection: Connection, closing: Closing): void;
}

/** ws's socket with a way back to its connection, so that the listeners need no closure per connection. */
export class ClientSocket extends WebSocket {
  connection: Connection | undefined;
}

/** ws calls listeners with the socket as `this`, and the gateway's server makes this class only. */
type Listening = WebSocket & { readonly connection?: Connection };

/** One client. Small on purpose: nothing of the handshake but these fields outlives it. */
export class Connection {
  /** As `requestContext.authorizer` of messages shows it. */
  authorizer: Readonly<Record<string, string>> | undefined = undefined;
  lastActiveAtMs: number;
  #socket: ClientSocket | undefined = undefined;
  #listener: ConnectionListener | undefined = undefined;
  #closing: Closing | undefined = undefined;

  constructor(
    readonly id: string,
    readonly connectedAtMs: number,
    readonly sourceIp: string,
    readonly userAgent: string | undefined,
  ) {
    this.lastActiveAtMs = connectedAtMs;
  }

  /** Takes over the socket once the 101 is written. */
  attach(socket: ClientSocket, listener: ConnectionListener): void {
    this.#socket = socket;
    this.#listener = listener;
    socket.connection = this;
    socket.on('message', onMessage);
    socket.on('error', onError);
    socket.on('close', onClose);
  }

  /** Whether messages still pass in both directions. */
  get isOpen(): boolean {
    return this.#closing === undefined && this.#socket?.readyState === WebSocket.OPEN;
  }

  /** Bytes that the client has not yet taken. */
  get bufferedBytes(): number {
    return this.#socket?.bufferedAmount ?? 0;
  }

  /** Sends one text message, in frames of at most `frameMaxBytes`. Without effect on a connection that is not open. */
  send(data: string | Buffer, frameMaxBytes: number): void {
    const socket = this.#socket;
    if (!socket || !this.isOpen) return;
    // No character takes more than 3 bytes of UTF-8 per UTF-16 unit, so most texts need no counting.
    if (typeof data === 'string' && data.length * 3 <= frameMaxBytes) {
      socket.send(data);
      return;
    }
    const bytes = typeof data === 'string' ? Buffer.from(data) : data;
    let start = 0;
    for (; bytes.length - start > frameMaxBytes; start += frameMaxBytes) {
      socket.send(bytes.subarray(start, start + frameMaxBytes), { binary: false, fin: false });
    }
    socket.send(bytes.subarray(start), { binary: false, fin: true });
  }

  /** Starts the closing handshake; `$disconnect` will be told `closing`, whatever the client answers. */
  close(closing: Closing): void {
    if (this.#closing) return;
    this.#closing = closing;
    this.#socket?.close(closing.code, closing.reason);
  }

  receive(data: RawData, isBinary: boolean): void {
    // Between our close frame and the client's, ws still hands over what the client has sent.
    if (!this.isOpen) return;
    if (isBinary) this.close(CLOSINGS.binary);
    else this.#listener?.received(this, (data as Buffer).toString());
  }

  /** ws has refused what the client sent, and closes the socket by itself. */
  refuse(closing: Closing): void {
    this.#closing ??= closing;
  }

  ended(code: number, reason: string): void {
    this.#listener?.closed(this, this.#closing ?? (code === NO_STATUS.code ? NO_STATUS : { code, reason }));
  }
}

function onMessage(this: Listening, data: RawData, isBinary: boolean): void {
  this.connection?.receive(data, isBinary);
}

function onError(this: Listening, error: Error & { code?: string }): void {
  this.connection?.refuse(closingOf(error.code));
}

function onClose(this: Listening, code: number, reason: Buffer): void {
  this.connection?.ended(code, reason.toString());
}

function closingOf(code: string | undefined): Closing {
  switch (code) {
    case 'WS_ERR_INVALID_UTF8':
      return CLOSINGS.invalidUtf8;
    case 'WS_ERR_UNSUPPORTED_MESSAGE_LENGTH':
    case 'WS_ERR_UNSUPPORTED_DATA_PAYLOAD_LENGTH':
      return CLOSINGS.tooBig;
    case 'WS_ERR_TOO_MANY_BUFFERED_PARTS':
      return CLOSINGS.tooManyParts;
    default:
      return CLOSINGS.protocolError;
  }
}
