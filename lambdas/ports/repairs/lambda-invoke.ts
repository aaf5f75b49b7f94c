import type { Signing } from '../../runtime/aws/credentials.ts';
import { SignedHttp } from '../../runtime/aws/signed-http.ts';
import { Unavailable } from '../unavailable.ts';
import type { RepairRequest, Repairs } from './port.ts';

export interface LambdaRepairsOptions extends Signing {
  /** `https://lambda.{region}.amazonaws.com`; locally with http and a port. */
  readonly endpoint: string;
  /** The name of the function that repairs. */
  readonly functionName: string;
}

const TIMEOUT_MS = 2_000;

/** Hands requests to `repair` through the Lambda API, which queues them and tries twice more. */
export class LambdaRepairs implements Repairs {
  private readonly http: SignedHttp;
  private readonly path: string;

  constructor({ endpoint, functionName, ...signing }: LambdaRepairsOptions) {
    this.http = new SignedHttp({ endpoint, service: 'lambda', ...signing });
    this.path = `/2015-03-31/functions/${encodeURIComponent(functionName)}/invocations`;
  }

  async request(request: RepairRequest): Promise<void> {
    const { status, headers } = await this.http.send({
      method: 'POST',
      path: this.path,
      headers: { 'content-type': 'application/json', 'x-amz-invocation-type': 'Event' },
      body: JSON.stringify(request),
      timeoutMs: TIMEOUT_MS,
    });
    if (status !== 202) throw new Unavailable(`lambda: ${status} ${String(headers['x-amzn-errortype'] ?? '')}`);
  }

  /** Ends the kept-alive sockets. */
  destroy(): void {
    this.http.destroy();
  }
}
