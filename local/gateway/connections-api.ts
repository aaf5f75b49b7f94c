import { isUtf8 } from 'node:buffer';
import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Connection } from './connection.ts';
import { isConnectionId } from './ids.ts';
import type { Credentials, GatewayOptions, ManagementMethod } from './options.ts';
import { CLOSINGS, MANAGEMENT_REFUSALS, UPGRADE_REQUIRED, type GatewaySettings, type Refusal } from './settings.ts';
import { SignatureCheck } from './signature.ts';
import { TokenBucket } from './throttle.ts';

const METHODS: ReadonlySet<string> = new Set<ManagementMethod>(['POST', 'GET', 'DELETE']);

/** The management API: `POST|GET|DELETE /{stage}/@connections/{connectionId}`, signed. */
export class ConnectionsApi {
  readonly #signatures: SignatureCheck;
  readonly #bucket: TokenBucket;

  constructor(
    private readonly options: GatewayOptions,
    private readonly settings: GatewaySettings,
    private readonly now: () => number,
    private readonly find: (connectionId: string) => Connection | undefined,
  ) {
    this.#signatures = new SignatureCheck(options.region, options.credentials, settings.signatureSkewMaxMs, now);
    this.#bucket = new TokenBucket(settings.managementPerSecond, settings.managementBurst, now);
  }

  /** Whether the request is the gateway's; if so it will be answered. */
  serve(request: IncomingMessage, response: ServerResponse): boolean {
    const path = (request.url ?? '').split('?', 1)[0] ?? '';
    const stage = `/${this.options.stage}`;
    const management = /^(.*)\/(?:@|%40)connections(?:\/(.*))?$/.exec(path);
    if (management) {
      const [, prefix = '', encodedId = ''] = management;
      if (prefix !== stage) refuse(response, MANAGEMENT_REFUSALS.wrongStage);
      else if (!METHODS.has(request.method ?? '')) refuse(response, MANAGEMENT_REFUSALS.unsigned);
      else this.#receive(request, response, encodedId);
      return true;
    }
    if (path !== stage && !path.startsWith(`${stage}/`)) return false;
    const isStage = path === stage || path === `${stage}/`;
    refuse(response, isStage && request.method === 'GET' ? UPGRADE_REQUIRED : MANAGEMENT_REFUSALS.wrongStage);
    return true;
  }

  /** Reads the body to its end even when it is too large, since a client that is cut off in mid write sees no answer. */
  #receive(request: IncomingMessage, response: ServerResponse, encodedId: string): void {
    const chunks: Buffer[] = [];
    let bytes = 0;
    request.on('error', () => response.destroy());
    request.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes > this.settings.drainMaxBytes) request.destroy();
      else if (bytes <= this.settings.messageMaxBytes) chunks.push(chunk);
    });
    request.on('end', () => {
      const body = chunks.length === 1 ? (chunks[0] ?? Buffer.alloc(0)) : Buffer.concat(chunks);
      const tooLarge = bytes > this.settings.messageMaxBytes;
      this.#answer(request, response, encodedId, body, tooLarge).catch((error: unknown) => {
        this.options.log?.({ at: 'management', outcome: 'crashed', error: String(error) });
        response.destroy();
      });
    });
  }

  async #answer(
    request: IncomingMessage,
    response: ServerResponse,
    encodedId: string,
    body: Buffer,
    tooLarge: boolean,
  ): Promise<void> {
    const method = request.method as ManagementMethod;
    // What exceeds the limit was not kept, so its signature cannot be checked; it is refused in any case.
    if (tooLarge) {
      refuse(response, request.headers.authorization ? MANAGEMENT_REFUSALS.tooLarge : MANAGEMENT_REFUSALS.unsigned);
      return;
    }
    const caller = await this.#signatures.verify(request, body);
    if ('status' in caller) refuse(response, caller);
    else if (!caller.allowed(method)) refuse(response, MANAGEMENT_REFUSALS.notAllowed);
    else if (!this.#bucket.take()) refuse(response, MANAGEMENT_REFUSALS.limitExceeded);
    else this.#perform(method, response, decodeId(encodedId), body, caller);
    this.options.log?.({ at: 'management', method, connectionId: encodedId.slice(0, 64), status: response.statusCode });
  }

  #perform(method: ManagementMethod, response: ServerResponse, id: string, body: Buffer, caller: Credentials): void {
    if (!isConnectionId(id)) {
      refuse(response, { status: 400, type: 'BadRequestException', message: `Invalid connectionId: ${id}` });
      return;
    }
    const connection = this.find(id);
    if (!connection) {
      response.writeHead(410, { ...requestId(), 'x-amzn-ErrorType': 'GoneException', 'Content-Length': 0 }).end();
    } else if (method === 'GET') {
      const text = JSON.stringify(describe(connection));
      response.writeHead(200, { ...requestId(), ...json(text) }).end(text);
    } else if (method === 'DELETE') {
      connection.close(CLOSINGS.deleted);
      response.writeHead(204, requestId()).end();
    } else if (connection.bufferedBytes > this.settings.bufferedMaxBytes) {
      refuse(response, MANAGEMENT_REFUSALS.limitExceeded);
    } else {
      this.#post(connection, body, caller);
      response.writeHead(200, { ...requestId(), 'Content-Length': 0 }).end();
    }
  }

  #post(connection: Connection, body: Buffer, caller: Credentials): void {
    if (!isUtf8(body)) {
      // Sent all the same, as a text frame: browsers close with 1007, which is what the author of the function must see.
      const { functionName } = caller;
      this.options.log?.({
        at: 'management',
        warning: 'the data is not UTF-8',
        functionName,
        connectionId: connection.id,
      });
    }
    connection.lastActiveAtMs = this.now();
    connection.send(body, this.settings.frameMaxBytes);
  }
}

function describe(connection: Connection): Record<string, unknown> {
  const { sourceIp, userAgent, connectedAtMs, lastActiveAtMs } = connection;
  return {
    connectedAt: new Date(connectedAtMs).toISOString(),
    identity: { sourceIp, ...(userAgent !== undefined && { userAgent }) },
    lastActiveAt: new Date(lastActiveAtMs).toISOString(),
  };
}

function refuse(response: ServerResponse, { status, type, message }: Refusal): void {
  const text = JSON.stringify({ message });
  response.writeHead(status, { ...requestId(), 'x-amzn-ErrorType': type, ...json(text) }).end(text);
}

function requestId(): Record<string, string> {
  return { 'x-amzn-RequestId': randomUUID() };
}

function json(text: string): Record<string, string | number> {
  return { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(text) };
}

/** A malformed escape leaves the id as it came; it is then no connection id. */
function decodeId(encoded: string): string {
  try {
    return decodeURIComponent(encoded);
  } catch {
    return encoded;
  }
}
