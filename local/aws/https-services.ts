import { createServer, type Server } from 'node:https';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { SignatureCheck } from '../gateway/signature.ts';
import type { Certificate } from './certificate.ts';
import type { Keyring } from './keyring.ts';

/** A call whose signature is good. */
export interface Call {
  readonly functionName: string;
  readonly method: string;
  /** Path and query. */
  readonly path: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: Buffer;
}

export interface Answer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body: string | Buffer;
}

/** What stands for one AWS service. */
export interface HttpService {
  /** As signatures name it. */
  readonly signingName: string;
  answer(call: Call): Promise<Answer>;
  /** An error in the service's own form. */
  refuse(type: string, message: string): Answer;
}

export interface HttpsServicesOptions {
  readonly certificate: Certificate;
  readonly region: string;
  readonly keyring: Keyring;
  /** By host name. */
  readonly services: ReadonlyMap<string, HttpService>;
  /** Takes what belongs to none of them; answers whether it did. */
  readonly otherwise: (request: IncomingMessage, response: ServerResponse) => boolean;
  readonly log: (line: string) => void;
}

const BODY_MAX_BYTES = 16 * 1024 * 1024;
const SKEW_MAX_MS = 5 * 60_000;

/** The HTTPS endpoints of AWS services, on one port, told apart by the host that is asked for. Only calls that a known key signed get through. */
export class HttpsServices {
  private readonly server: Server;
  private readonly checks: ReadonlyMap<string, SignatureCheck>;

  constructor(private readonly options: HttpsServicesOptions) {
    const { certificate, region, keyring, services } = options;
    const credentials = (accessKeyId: string) => {
      const key = keyring.find(accessKeyId);
      return key && { ...key, allowed: () => true };
    };
    this.checks = new Map(
      [...services].map(([host, { signingName }]) => [
        host,
        new SignatureCheck(region, credentials, SKEW_MAX_MS, Date.now, signingName),
      ]),
    );
    // A frozen environment keeps its sockets; that they end while it sleeps is a fault that AWS shows seldom.
    this.server = createServer({ ...certificate, keepAliveTimeout: 350_000 }, (request, response) => {
      this.serve(request, response).catch((error: unknown) => {
        options.log(`${request.headers.host ?? ''}: ${String(error)}`);
        response.destroy();
      });
    });
  }

  listen(): Promise<number> {
    return new Promise((resolve, reject) => {
      this.server.once('error', reject);
      this.server.listen(0, '127.0.0.1', () => resolve((this.server.address() as AddressInfo).port));
    });
  }

  close(): Promise<void> {
    this.server.closeAllConnections();
    return new Promise((resolve) => this.server.close(() => resolve()));
  }

  private async serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const host = (request.headers.host ?? '').replace(/:\d+$/, '');
    const service = this.options.services.get(host);
    const check = this.checks.get(host);
    if (!service || !check) {
      if (!this.options.otherwise(request, response)) response.writeHead(404).end();
      return;
    }
    const body = await read(request);
    const caller = await check.verify(request, body);
    let answer: Answer;
    if ('status' in caller) {
      this.options.log(`REFUSED a call of ${host}: ${caller.message}`);
      answer = service.refuse(caller.type, caller.message);
    } else {
      const { method = '', url: path = '', headers } = request;
      answer = await service.answer({ functionName: caller.functionName ?? '', method, path, headers, body });
    }
    response.writeHead(answer.status, { ...answer.headers, 'Content-Length': Buffer.byteLength(answer.body) });
    response.end(answer.body);
  }
}

async function read(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > BODY_MAX_BYTES) throw new Error('a body of more than 16 MiB');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
