import { LIMITS } from '@parley/protocol';
import type { Credentials, CredentialSource } from '../../runtime/aws/credentials.ts';
import { SignedHttp } from '../../runtime/aws/signed-http.ts';
import { Unavailable } from '../unavailable.ts';
import type { Gateway, PostResult } from './port.ts';

export interface ConnectionsApiOptions {
  /** `https://{api}.execute-api.{region}.amazonaws.com/{stage}`; locally with http and a port. */
  readonly endpoint: string;
  readonly region: string;
  readonly credentials: Credentials | CredentialSource;
  /** How long one call may take. Default `LIMITS.postMaxMs`. */
  readonly timeoutMs?: number;
}

/** The `@connections` API. */
export class ConnectionsApi implements Gateway {
  private readonly http: SignedHttp;
  private readonly stagePath: string;
  private readonly timeoutMs: number;

  constructor({ endpoint, region, credentials, timeoutMs = LIMITS.postMaxMs }: ConnectionsApiOptions) {
    this.http = new SignedHttp({ endpoint, service: 'execute-api', region, credentials });
    this.stagePath = new URL(endpoint).pathname.replace(/\/$/, '');
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
    this.http.destroy();
  }

  private async call(method: 'POST' | 'DELETE', connectionId: string, body?: string): Promise<number> {
    const path = `${this.stagePath}/@connections/${encodeURIComponent(connectionId)}`;
    const { timeoutMs } = this;
    const { status } = await this.http.send({ method, path, timeoutMs, ...(body !== undefined && { body }) });
    return status;
  }
}
