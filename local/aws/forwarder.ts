import { Agent, request as httpRequest } from 'node:http';
import type { Endpoint } from '../engine-calls.ts';
import type { Answer, Call } from './https-services.ts';

/** What a caller of a service may see of an engine's answer. */
const KEPT_HEADERS = ['content-type', 'x-amz-crc32', 'x-amzn-requestid'];

/** Takes calls to an engine that speaks the service's own HTTP, over connections that are kept. */
export class Forwarder {
  private readonly agent = new Agent({ keepAlive: true });

  constructor(private readonly engine: Endpoint) {}

  /** @param headers in place of what the caller has sent */
  forward(
    { method, path, headers: sent, body }: Call,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<Answer> {
    const { host, port } = this.engine;
    return new Promise((resolve, reject) => {
      const request = httpRequest(
        { host, port, method, path, agent: this.agent, headers: { ...sent, ...headers, host: `${host}:${port}` } },
        (response) => {
          const chunks: Buffer[] = [];
          response.on('data', (chunk: Buffer) => chunks.push(chunk));
          response.on('error', reject);
          response.on('end', () => {
            const kept = KEPT_HEADERS.flatMap((name) => {
              const value = response.headers[name];
              return typeof value === 'string' ? [[name, value] as const] : [];
            });
            resolve({
              status: response.statusCode ?? 500,
              headers: Object.fromEntries(kept),
              body: Buffer.concat(chunks),
            });
          });
        },
      );
      request.on('error', reject);
      request.end(body);
    });
  }

  close(): void {
    this.agent.destroy();
  }
}
