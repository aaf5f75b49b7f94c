import type { IncomingHttpHeaders } from 'node:http';
import { Unavailable } from '../../ports/unavailable.ts';
import type { Credentials, CredentialSource } from './credentials.ts';
import { SignedHttp } from './signed-http.ts';

export interface LambdaFunctionOptions {
  /** `https://lambda.{region}.amazonaws.com`; locally with http and a port. */
  readonly endpoint: string;
  readonly region: string;
  readonly credentials: Credentials | CredentialSource;
  readonly functionName: string;
}

/** What the Lambda API answers when it has run the function, and when it has taken an event to run it with. */
const DONE = { RequestResponse: 200, Event: 202 } as const;

/** A function, by the Lambda API. */
export class LambdaFunction {
  private readonly http: SignedHttp;
  private readonly path: string;

  constructor({ functionName, ...api }: LambdaFunctionOptions) {
    this.http = new SignedHttp({ service: 'lambda', ...api });
    this.path = `/2015-03-31/functions/${encodeURIComponent(functionName)}/invocations`;
  }

  /** With `Event` the service only takes it, and runs it up to three times. @throws {Unavailable} unknown whether it ran */
  async invoke(
    type: keyof typeof DONE,
    event: object,
    timeoutMs: number,
  ): Promise<{ readonly headers: IncomingHttpHeaders; readonly body: string }> {
    const { status, headers, body } = await this.http.send({
      method: 'POST',
      path: this.path,
      headers: { 'content-type': 'application/json', 'x-amz-invocation-type': type },
      body: JSON.stringify(event),
      timeoutMs,
    });
    if (status !== DONE[type]) throw new Unavailable(`lambda: ${status} ${String(headers['x-amzn-errortype'] ?? '')}`);
    return { headers, body };
  }

  /** Ends the kept-alive sockets. */
  destroy(): void {
    this.http.destroy();
  }
}
