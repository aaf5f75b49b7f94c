import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { WebSocketServer, type Server } from 'ws';
import { ClientSocket, type Connection, type ConnectionListener } from './connection.ts';
import { ConnectionsApi } from './connections-api.ts';
import { Api, disconnectEvent } from './events.ts';
import { frameLimiter } from './frame-limit.ts';
import { Handshake, type Accepted } from './handshake.ts';
import { Invoker } from './invoker.ts';
import { Messages } from './messages.ts';
import type { GatewayOptions } from './options.ts';
import { CLOSINGS, DEFAULT_SETTINGS, type Closing, type GatewaySettings } from './settings.ts';

export { FunctionError } from './options.ts';
export type { AuthorizerOptions, Credentials, GatewayOptions, ManagementMethod, Route } from './options.ts';
export { DEFAULT_SETTINGS, UNTHROTTLED, type GatewaySettings } from './settings.ts';

/**
 * A WebSocket API as API Gateway serves it: handshakes that wait for functions, routes, route responses, limits, close codes and
 * `@connections`. It has no port of its own; hand it the requests and upgrades of a `node:http` server.
 * Nothing that a function or a client does makes it throw.
 */
export class LocalGateway implements ConnectionListener {
  readonly #options: GatewayOptions;
  readonly #settings: GatewaySettings;
  readonly #now: () => number;
  readonly #api: Api;
  readonly #invoker: Invoker;
  readonly #handshake: Handshake;
  readonly #messages: Messages;
  readonly #management: ConnectionsApi;
  readonly #server: Server<typeof ClientSocket>;
  readonly #limitFrames: ReturnType<typeof frameLimiter>;
  readonly #connections = new Map<string, Connection>();
  readonly #disconnects = new Set<Promise<void>>();
  #sweep: NodeJS.Timeout | undefined;
  #drained: (() => void) | undefined;
  #isShutDown = false;

  constructor(options: GatewayOptions) {
    this.#options = options;
    this.#settings = { ...DEFAULT_SETTINGS, ...options.settings };
    const settings = this.#settings;
    this.#now = options.now ?? Date.now;
    this.#api = new Api(options);
    this.#invoker = new Invoker(options.invoke, settings);
    this.#handshake = new Handshake(options, settings, this.#api, this.#invoker, this.#now);
    this.#messages = new Messages(options, settings, this.#api, this.#invoker, this.#now);
    this.#management = new ConnectionsApi(options, settings, this.#now, (id) => this.#addressable(id));
    this.#limitFrames = frameLimiter(settings.frameMaxBytes);
    // closeTimeout is newer than the types of ws.
    const server = {
      noServer: true,
      clientTracking: false,
      perMessageDeflate: false,
      maxPayload: settings.messageMaxBytes,
      closeTimeout: settings.closeTimeoutMs,
      WebSocket: ClientSocket,
    };
    this.#server = new WebSocketServer(server);
  }

  /** Sockets that are open, or on the way to being closed. */
  get connectionCount(): number {
    return this.#connections.size;
  }

  /** Takes every upgrade of the server: `server.on('upgrade', (q, s, h) => gateway.upgrade(q, s, h))`. Other paths than the stage's get 403. */
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    socket.on('error', ignore);
    this.#handshake
      .decide(request, socket, () => this.#isShutDown)
      .then((accepted) => {
        if (accepted) this.#open(accepted, request, socket, head);
      })
      .catch((error: unknown) => {
        socket.destroy();
        this.#options.log?.({ at: 'connect', outcome: 'crashed', error: String(error) });
      });
  }

  /** Serves the stage's path and everything with `@connections` in it, and answers true. False: not the gateway's, nothing was done. */
  request(request: IncomingMessage, response: ServerResponse): boolean {
    return this.#management.serve(request, response);
  }

  /** Closes every socket with 1001 and resolves when the `$disconnect` invocations have settled. New upgrades get 503. */
  async close(): Promise<void> {
    this.#isShutDown = true;
    clearInterval(this.#sweep);
    if (this.#connections.size > 0) {
      const drained = new Promise<void>((resolve) => (this.#drained = resolve));
      for (const connection of this.#connections.values()) connection.close(CLOSINGS.shutdown);
      await drained;
    }
    await Promise.all(this.#disconnects);
  }

  received(connection: Connection, text: string): void {
    connection.lastActiveAtMs = this.#now();
    this.#messages.handle(connection, text).catch((error: unknown) => {
      this.#options.log?.({ at: 'message', connectionId: connection.id, outcome: 'crashed', error: String(error) });
    });
  }

  closed(connection: Connection, closing: Closing): void {
    this.#connections.delete(connection.id);
    const done = this.#runDisconnect(connection, closing).finally(() => this.#disconnects.delete(done));
    this.#disconnects.add(done);
    if (this.#connections.size === 0) this.#drained?.();
  }

  #open({ connection, subprotocol }: Accepted, request: IncomingMessage, socket: Duplex, head: Buffer): void {
    // ws answers the first protocol that it reads here; only the one that `$connect` chose may be answered.
    if (request.headers['sec-websocket-protocol']) request.headers['sec-websocket-protocol'] = subprotocol;
    this.#server.handleUpgrade(request, socket, head, (client) => {
      this.#limitFrames(client);
      connection.lastActiveAtMs = this.#now();
      connection.attach(client, this);
      if (this.#settings.pingResetsIdle) client.on('ping', () => (connection.lastActiveAtMs = this.#now()));
      this.#connections.set(connection.id, connection);
      this.#sweep ??= setInterval(() => this.#closeOverdue(), this.#settings.sweepIntervalMs).unref();
    });
    socket.off('error', ignore);
  }

  /** One shared timer instead of two per connection. */
  #closeOverdue(): void {
    const nowMs = this.#now();
    for (const connection of this.#connections.values()) {
      if (nowMs - connection.connectedAtMs >= this.#settings.durationMaxMs) connection.close(CLOSINGS.duration);
      else if (nowMs - connection.lastActiveAtMs >= this.#settings.idleTimeoutMs) connection.close(CLOSINGS.idle);
    }
  }

  #addressable(connectionId: string): Connection | undefined {
    const connection = this.#connections.get(connectionId);
    return connection?.isOpen ? connection : undefined;
  }

  /** Best effort, after the close, the answer ignored. */
  async #runDisconnect(connection: Connection, closing: Closing): Promise<void> {
    const route = this.#options.routes.get('$disconnect');
    const event = disconnectEvent(this.#api, connection, closing, this.#now());
    const { requestId } = event.requestContext;
    let outcome = 'ok';
    try {
      if (route) await this.#invoker.run(route.functionName, event);
    } catch {
      outcome = 'failed';
    }
    this.#options.log?.({ at: 'disconnect', connectionId: connection.id, requestId, code: closing.code, outcome });
  }
}

function ignore(): void {
  // A client may reset its socket at any time; 'close' follows and is what counts.
}
