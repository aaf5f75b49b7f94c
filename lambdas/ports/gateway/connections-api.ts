import { Agent as HttpAgent, request as httpRequest } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import { HttpRequest } from '@smithy/protocol-http';
import { SignatureV4 } from '@smithy/signature-v4';
import { Sha256 } from '../../runtime/sha256.ts';
import { Unavailable } from '../unavailable.ts';
import type { Gateway, PostResult } from './port.ts';

export interface ConnectionsApiOptions {
  /** `https://{api}.execute-api.{region}.amazonaws.com/{stage}`; locally with http and a port. */
  readonly endpoint: string;
  readonly region: string;
  readonly credentials: {
    readonly accessKeyId: string;
    readonly secretAccessKey: string;
    readonly sessionToken?: string;
  };
  /** How long one call may take. */
  readonly timeoutMs?: number;
}

const TIMEOUT_MS = 5_000;
const SOCKETS_MAX = 64;

/** The `@connections` API, signed by hand over kept-alive sockets: the SDK's client costs about ten times as much for each post. */
export class ConnectionsApi implements Gateway {
  private readonly endpoint: URL;
  private readonly signer: SignatureV4;
  private readonly agent: HttpAgent;
  private readonly timeoutMs: number;

  constructor({ endpoint, region, credentials, timeoutMs = TIMEOUT_MS }: ConnectionsApiOptions) {
    this.endpoint = new URL(endpoint);
    this.signer = new SignatureV4({ service: 'execute-api', region, credentials, sha256: Sha256 });
    const agentOptions = { keepAlive: true, maxSockets: SOCKETS_MAX };
    this.agent = this.endpoint.protocol === 'https:' ? new HttpsAgent(agentOptions) : new HttpAgent(agentOptions);
    this.timeoutMs = timeoutMs;
  }

  async post(connectionId: string, message: string): Promise<PostResult> {
    const status = await this.call('POST', connectionId, message);
    if (status === 200) return 'sent';
    if (status === 410 || status === 400) return 'gone';
    if (status === 429) return 'throttled';
    throw new Unavailable(`@connections answered ${status}`);
  }

  async close(connectionId: string): Promise<void> {
    const status = await this.call('DELETE', connectionId);
    if (status !== 204 && status !== 200 && status !== 410 && status !== 400) {
      throw new Unavailable(`@connections answered ${status}`);
    }
  }

  /** Ends the kept-alive sockets. */
  destroy(): void {
    this.agent.destroy();
  }

  private async call(method: 'POST' | 'DELETE', connectionId: string, body?: string): Promise<number> {
    const { hostname, port, protocol, pathname, host } = this.endpoint;
    const path = `${pathname.replace(/\/$/, '')}/@connections/${encodeURIComponent(connectionId)}`;
    const signed = await this.signer.sign(
      new HttpRequest({ method, protocol, hostname, path, headers: { host }, ...(body !== undefined && { body }) }),
    );
    const send = protocol === 'https:' ? httpsRequest : httpRequest;
    return new Promise((resolve, reject) => {
      const request = send({ method, hostname, port, path, headers: signed.headers, agent: this.agent }, (response) => {
        response.resume().on('end', () => resolve(response.statusCode ?? 0));
        response.on('error', reject);
      });
      request.setTimeout(this.timeoutMs, () => request.destroy(new Error('timed out')));
      request.on('error', (error) => reject(new Unavailable(`@connections: ${error.message}`)));
      request.end(body);
    });
  }
}
