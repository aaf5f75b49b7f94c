import type { Credentials, CredentialSource } from '../../runtime/aws/credentials.ts';
import { SignedHttp } from '../../runtime/aws/signed-http.ts';
import { Unavailable } from '../unavailable.ts';
import type { DirectAnswer, DirectDelivery, DirectRequest } from './port.ts';

export interface LambdaInvokeOptions {
  /** `https://lambda.{region}.amazonaws.com`; locally with http and a port. */
  readonly endpoint: string;
  readonly region: string;
  readonly credentials: Credentials | CredentialSource;
  /** The name of the function that delivers. */
  readonly functionName: string;
}

/** Invokes `deliver` through the Lambda API and waits for its answer. */
export class LambdaInvoke implements DirectDelivery {
  private readonly http: SignedHttp;
  private readonly path: string;

  constructor({ endpoint, region, credentials, functionName }: LambdaInvokeOptions) {
    this.http = new SignedHttp({ endpoint, service: 'lambda', region, credentials });
    this.path = `/2015-03-31/functions/${encodeURIComponent(functionName)}/invocations`;
  }

  async deliver(request: DirectRequest, deadlineMs: number): Promise<DirectAnswer> {
    const { status, headers, body } = await this.http.send({
      method: 'POST',
      path: this.path,
      headers: { 'content-type': 'application/json', 'x-amz-invocation-type': 'RequestResponse' },
      body: JSON.stringify(request),
      timeoutMs: deadlineMs,
    });
    if (status !== 200) throw new Unavailable(`lambda: ${status} ${String(headers['x-amzn-errortype'] ?? '')}`);
    // The service's own success says nothing of the function's.
    if (headers['x-amz-function-error'] !== undefined) throw new Unavailable('lambda: deliver failed');
    return answerIn(body);
  }

  /** Ends the kept-alive sockets. */
  destroy(): void {
    this.http.destroy();
  }
}

function answerIn(body: string): DirectAnswer {
  try {
    const { served } = JSON.parse(body) as Partial<DirectAnswer>;
    if (Array.isArray(served)) return { served };
  } catch {
    // Told below.
  }
  throw new Unavailable('lambda: deliver answered something else');
}
