import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { displayName, userId, WORKSPACE_ID } from '@parley/protocol';
import sirv from 'sirv';
import * as v from 'valibot';
import { userKey } from '../lambdas/runtime/keys.ts';
import type { Directory } from '../lambdas/ports/directory/port.ts';
import type { LocalGateway } from './gateway/gateway.ts';
import type { LocalIssuer } from './identity/local-issuer.ts';

const TOKEN_REQUEST_MAX_BYTES = 4 * 1024;
const DEFAULT_WORKSPACE = 'demo';

const tokenRequest = v.object({
  userId,
  workspaceId: v.optional(v.pipe(v.string(), v.regex(WORKSPACE_ID, 'must be 1 to 64 of A-Z a-z 0-9 . _ -'))),
  name: v.optional(displayName),
});

export interface LocalSurfaceOptions {
  readonly gateway: LocalGateway;
  readonly issuer: LocalIssuer;
  readonly directory: Directory;
  readonly webRoot?: string;
}

/** Everything that one port of the loopback address serves: the table "Running it locally" of docs/protocol.md. */
export class LocalSurface {
  private readonly serveFile;

  constructor(private readonly options: LocalSurfaceOptions) {
    this.serveFile =
      options.webRoot === undefined ? undefined : sirv(options.webRoot, { etag: true, dev: true, setHeaders });
  }

  readonly upgrade = (request: IncomingMessage, socket: Duplex, head: Buffer): void => {
    if (isLoopbackHost(request)) this.options.gateway.upgrade(request, socket, head);
    else socket.end('HTTP/1.1 403 Forbidden\r\nConnection: close\r\nContent-Length: 0\r\n\r\n');
  };

  readonly request = (request: IncomingMessage, response: ServerResponse): void => {
    if (!isLoopbackHost(request)) {
      answer(response, 403, { error: 'Parley answers on the loopback address only: use 127.0.0.1 or localhost.' });
      return;
    }
    if (this.options.gateway.request(request, response)) return;
    const path = (request.url ?? '/').split('?', 1)[0];
    switch (`${request.method ?? ''} ${path ?? ''}`) {
      case 'GET /healthz':
        answer(response, 200, { status: 'ready' });
        return;
      case 'GET /.well-known/jwks.json':
        void this.options.issuer.keySet().then((keys) => answer(response, 200, keys));
        return;
      case 'POST /dev/token':
        void this.issueToken(request, response).catch(() => response.destroy());
        return;
      default:
        this.serveWeb(request, response);
    }
  };

  /** Signing up and signing in at once: whoever has a token is known to the workspace, as with an identity provider. */
  private async issueToken(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { origin, host } = request.headers;
    if (origin !== undefined && origin !== `http://${host ?? ''}`) {
      answer(response, 403, { error: 'Tokens are given to pages of this server only.' });
      return;
    }
    const parsed = v.safeParse(tokenRequest, await readJson(request));
    if (!parsed.success) {
      const [issue] = parsed.issues;
      const field = v.getDotPath(issue) ?? 'the body';
      answer(response, 400, { error: `${field}: ${issue.message}` });
      return;
    }
    const { userId, workspaceId = DEFAULT_WORKSPACE, name } = parsed.output;
    const state = await this.options.directory.admitUser(userKey({ workspaceId }, userId), name);
    if (state !== 'active') {
      answer(response, 403, { error: `userId: this user is ${state}.` });
      return;
    }
    const token = await this.options.issuer.issue({ userId, workspaceId, ...(name !== undefined && { name }) });
    answer(response, 200, { token });
  }

  private serveWeb(request: IncomingMessage, response: ServerResponse): void {
    const notFound = (): void => answer(response, 404, { error: 'Nothing here. The web client is at /.' });
    if (this.serveFile) this.serveFile(request, response, notFound);
    else notFound();
  }
}

/** A page of another site whose name is made to resolve to this machine must not reach the server (DNS rebinding). */
function isLoopbackHost({ headers }: IncomingMessage): boolean {
  const name = (headers.host ?? '').replace(/:\d+$/, '');
  return name === '127.0.0.1' || name === 'localhost' || name === '[::1]';
}

function setHeaders(response: ServerResponse): void {
  response.setHeader(
    'Content-Security-Policy',
    "default-src 'self'; img-src 'self' data: blob:; connect-src 'self' ws: wss:; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
  );
  response.setHeader('X-Content-Type-Options', 'nosniff');
  response.setHeader('Referrer-Policy', 'no-referrer');
}

/** Undefined for what is no JSON, or too much of it. */
async function readJson(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > TOKEN_REQUEST_MAX_BYTES) return undefined;
    chunks.push(chunk);
  }
  try {
    return JSON.parse(Buffer.concat(chunks).toString()) as unknown;
  } catch {
    return undefined;
  }
}

function answer(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'content-type': 'application/json', 'cache-control': 'no-store' });
  response.end(JSON.stringify(body));
}
