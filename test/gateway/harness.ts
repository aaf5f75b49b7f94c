import { once } from 'node:events';
import { createServer, request, type IncomingHttpHeaders, type Server } from 'node:http';
import { connect, type AddressInfo, type Socket } from 'node:net';
import { ApiGatewayManagementApiClient } from '@aws-sdk/client-apigatewaymanagementapi';
import { WebSocket, type ClientOptions } from 'ws';
import { LocalGateway, type GatewayOptions } from '../../local/gateway/gateway.ts';

// A loaded machine is slow; `until` gives up by name long before.
jest.setTimeout(30_000);

/** The fields of all events together; those that an event does not have are absent. */
export interface Event {
  headers: Record<string, string>;
  multiValueHeaders: Record<string, string[]>;
  body: string;
  requestContext: {
    routeKey: string;
    requestId: string;
    extendedRequestId: string;
    connectionId: string;
    messageId?: string;
    authorizer?: Record<string, unknown>;
    identity: { sourceIp: string; userAgent?: string };
    disconnectStatusCode?: number;
    disconnectReason?: string;
  };
}
export type Script = (event: Event) => unknown;

export const API_ID = 'a1b2c3d4e5';
export const REGION = 'eu-west-1';
export const KEY = { accessKeyId: 'AKIDDELIVER', secretAccessKey: 'secret-of-deliver' };

export interface HarnessOptions extends Partial<Omit<GatewayOptions, 'invoke' | 'routes'>> {
  /** By function name. */
  functions?: Record<string, Script>;
  /** Route key -> function name; a leading `<>` gives the route a response. */
  routes?: Record<string, string>;
  invoke?: GatewayOptions['invoke'];
}

/** A gateway on a plain HTTP server, with scripted functions and a record of every event. */
export class Harness {
  readonly calls: { functionName: string; event: Event }[] = [];
  readonly logs: Record<string, unknown>[] = [];
  readonly gateway: LocalGateway;
  readonly #server: Server;
  readonly #clients: Client[] = [];

  private constructor(options: HarnessOptions) {
    const { functions = {}, routes = {}, ...rest } = options;
    this.gateway = new LocalGateway({
      apiId: API_ID,
      stage: 'prod',
      region: REGION,
      accountId: '123456789012',
      routeSelectionExpression: '$request.body.action',
      credentials: (id) =>
        id === KEY.accessKeyId ? { ...KEY, allowed: () => true, functionName: 'deliver' } : undefined,
      // eslint-disable-next-line @typescript-eslint/require-await -- what a script throws shall be a rejection
      invoke: async (functionName, event) => {
        this.calls.push({ functionName, event: event as Event });
        return functions[functionName]?.(event as Event);
      },
      log: (record) => this.logs.push(record),
      ...rest,
      routes: new Map(
        Object.entries(routes).map(([key, name]) => [
          key,
          { functionName: name.replace('<>', ''), routeResponse: name.startsWith('<>') },
        ]),
      ),
    });
    this.#server = createServer((q, s) => {
      if (!this.gateway.request(q, s)) s.writeHead(404).end('not the gateway');
    });
    this.#server.on('upgrade', (q, socket, head) => this.gateway.upgrade(q, socket, head));
  }

  static async start(options: HarnessOptions = {}): Promise<Harness> {
    const harness = new Harness(options);
    harness.#server.listen(0, '127.0.0.1');
    await once(harness.#server, 'listening');
    return harness;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  url(path = '/prod'): string {
    return `ws://127.0.0.1:${this.port}${path}`;
  }

  eventsOf(functionName: string): Event[] {
    return this.calls.filter((call) => call.functionName === functionName).map((call) => call.event);
  }

  /** One event that must have been there. */
  event(functionName: string, index = 0): Event {
    const event = this.eventsOf(functionName)[index];
    if (!event) throw new Error(`No event ${index} of ${functionName}.`);
    return event;
  }

  /** A client that the gateway has accepted. */
  async connect(path = '/prod', protocols: string[] = [], options: ClientOptions = {}): Promise<Client> {
    const client = new Client(new WebSocket(this.url(path), protocols, options));
    this.#clients.push(client);
    await once(client.socket, 'open');
    return client;
  }

  /** The HTTP answer to an upgrade that the gateway refuses. */
  async refused(path = '/prod', protocols: string[] = [], options: ClientOptions = {}): Promise<Answer> {
    const socket = new WebSocket(this.url(path), protocols, options);
    socket.on('error', () => undefined);
    return new Promise((resolve, reject) => {
      socket.on('open', () => reject(new Error('The upgrade was accepted.')));
      socket.on('unexpected-response', (_, response) => {
        void text(response).then((body) => {
          resolve({ status: response.statusCode ?? 0, headers: response.headers, body });
        });
      });
    });
  }

  /** A plain HTTP request. */
  http(method: string, path: string, headers: Record<string, string> = {}, body?: Buffer | string): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const length = body === undefined ? {} : { 'Content-Length': String(Buffer.byteLength(body)) };
      const target = { host: '127.0.0.1', port: this.port, method, path, headers: { ...length, ...headers } };
      const sent = request(target, (response) => {
        text(response).then(
          (answer) => resolve({ status: response.statusCode ?? 0, headers: response.headers, body: answer }),
          reject,
        );
      });
      sent.on('error', reject);
      sent.end(body);
    });
  }

  /** A TCP connection on which an upgrade has been sent; what follows is up to the test. */
  rawUpgrade(headers = ''): Socket {
    const socket = connect(this.port, '127.0.0.1');
    socket.on('error', () => undefined);
    socket.write(
      `GET /prod HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n` +
        `Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n${headers}\r\n`,
    );
    return socket;
  }

  /** The real client of the management API. */
  sdk(
    options: { key?: typeof KEY; region?: string; stage?: string; maxAttempts?: number; clockOffsetMs?: number } = {},
  ) {
    return new ApiGatewayManagementApiClient({
      endpoint: `http://127.0.0.1:${this.port}${options.stage ?? '/prod'}`,
      region: options.region ?? REGION,
      credentials: options.key ?? KEY,
      maxAttempts: options.maxAttempts ?? 3,
      systemClockOffset: options.clockOffsetMs ?? 0,
    });
  }

  async close(): Promise<void> {
    for (const client of this.#clients) client.socket.terminate();
    await this.gateway.close();
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, 'close');
  }
}

export interface Answer {
  status: number;
  headers: IncomingHttpHeaders;
  body: string;
}

/** A WebSocket client that keeps what it gets. */
export class Client {
  readonly messages: string[] = [];
  readonly closed: Promise<{ code: number; reason: string }>;

  constructor(readonly socket: WebSocket) {
    socket.on('message', (data, isBinary) =>
      this.messages.push((isBinary ? 'BINARY ' : '') + (data as Buffer).toString()),
    );
    socket.on('error', () => undefined);
    this.closed = new Promise((resolve) =>
      socket.on('close', (code, reason) => resolve({ code, reason: reason.toString() })),
    );
  }

  send(message: unknown): void {
    this.socket.send(typeof message === 'string' ? message : JSON.stringify(message));
  }

  /** The first `count` messages, once they are there. */
  async got(count: number): Promise<string[]> {
    await until(() => this.messages.length >= count);
    return this.messages.slice(0, count);
  }

  /** Sends a message in frames of the given texts. */
  sendFragments(parts: string[]): void {
    parts.forEach((part, i) => this.socket.send(part, { fin: i === parts.length - 1 }));
  }
}

/** Waits for a condition; the limit is there only to fail with a name instead of hanging. */
export async function until(condition: () => boolean, limitMs = 8_000): Promise<void> {
  const endMs = Date.now() + limitMs;
  while (!condition()) {
    if (Date.now() > endMs) throw new Error(`Never came true: ${condition.toString()}`);
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}

/** A promise with its ends in the test's hands. */
export function deferred<T = void>(): {
  promise: Promise<T>;
  resolve: (value: T) => void;
  reject: (error: Error) => void;
} {
  let resolve!: (value: T) => void;
  let reject!: (error: Error) => void;
  const promise = new Promise<T>((yes, no) => {
    resolve = yes;
    reject = no;
  });
  return { promise, resolve, reject };
}

async function text(stream: AsyncIterable<unknown>): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
}
