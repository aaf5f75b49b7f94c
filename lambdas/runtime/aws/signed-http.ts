import { Agent as HttpAgent, request as httpRequest, type IncomingHttpHeaders } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import { Unavailable } from '../../ports/unavailable.ts';
import { Signer, type SignerOptions } from './signer.ts';

export interface SignedHttpOptions extends SignerOptions {
  /** `https://host[:port]`; locally also http. */
  readonly endpoint: string;
  /** Requests beyond this many wait for a socket. Default 64. */
  readonly socketsMax?: number;
}

export interface SignedRequest {
  readonly method: 'POST' | 'DELETE';
  /** From the slash on, each part of it percent-encoded once. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  /** From the call to the end of the answer, the wait for a socket included. */
  readonly timeoutMs: number;
}

export interface SignedResponse {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

const SOCKETS_MAX = 64;

/** One AWS service, by requests that are signed here and sent over kept-alive sockets: the SDK's clients cost about ten times as much a call. */
export class SignedHttp {
  private readonly endpoint: URL;
  private readonly service: string;
  private readonly signer: Signer;
  private readonly agent: HttpAgent;

  constructor({ endpoint, service, region, credentials, socketsMax = SOCKETS_MAX }: SignedHttpOptions) {
    this.endpoint = new URL(endpoint);
    this.service = service;
    this.signer = new Signer({ service, region, credentials });
    const agentOptions = { keepAlive: true, maxSockets: socketsMax };
    this.agent = this.endpoint.protocol === 'https:' ? new HttpsAgent(agentOptions) : new HttpAgent(agentOptions);
  }

  /** The answer, whatever its status. @throws {Unavailable} none came in time: unknown whether the request was carried out. */
  async send({ method, path, headers, body, timeoutMs }: SignedRequest): Promise<SignedResponse> {
    const untilMs = performance.now() + timeoutMs;
    const unsigned = { method, path, headers: { host: this.endpoint.host, ...headers } };
    const signed = await this.signer.sign({ ...unsigned, ...(body !== undefined && { body }) });
    const exchange = { method, path, headers: signed, body, untilMs };
    try {
      return await this.exchange(exchange).catch((error: unknown) => {
        // The other side closed a kept-alive socket just when, or long before (a frozen environment sees it late), it was used again.
        if (error instanceof StaleSocket) return this.exchange(exchange);
        throw error;
      });
    } catch (error) {
      throw new Unavailable(`${this.service}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }

  /** Ends the kept-alive sockets. */
  destroy(): void {
    this.agent.destroy();
  }

  private exchange({ method, path, headers, body, untilMs }: Exchange): Promise<SignedResponse> {
    const { hostname, port, protocol } = this.endpoint;
    const open = protocol === 'https:' ? httpsRequest : httpRequest;
    return new Promise((resolve, reject) => {
      const request = open({ method, hostname, port, path, headers, agent: this.agent }, (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('error', fail);
        response.on('end', () => {
          clearTimeout(timer);
          const { statusCode = 0, headers: answered } = response;
          resolve({ status: statusCode, headers: answered, body: Buffer.concat(chunks).toString() });
        });
      });
      const timer = setTimeout(() => request.destroy(new Error('no answer in time')), untilMs - performance.now());
      const fail = (error: NodeJS.ErrnoException): void => {
        clearTimeout(timer);
        const isStale = request.reusedSocket && (error.code === 'ECONNRESET' || error.code === 'EPIPE');
        reject(isStale ? new StaleSocket(error.message) : error);
      };
      request.on('error', fail);
      request.end(body);
    });
  }
}

interface Exchange {
  readonly method: string;
  readonly path: string;
  readonly headers: Record<string, string>;
  readonly body: string | undefined;
  readonly untilMs: number;
}

class StaleSocket extends Error {}
