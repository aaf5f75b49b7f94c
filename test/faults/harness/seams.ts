import type { IncomingMessage, ServerResponse } from 'node:http';
import type { InvokeResult } from '../../../local/lambda/result.ts';
import type { EnginesApp } from '../../../local/start-engines/app.ts';

/** Around an invocation of a function, such as `disconnect`. */
export type AroundInvoke = (
  name: string,
  event: unknown,
  proceed: (event?: unknown) => Promise<InvokeResult>,
) => Promise<InvokeResult>;
/** The status that `@connections` answers instead of doing what it is asked, or undefined. */
export type Management = (method: string, connectionId: string) => 410 | 429 | 500 | undefined;

const TYPES = { 410: 'GoneException', 429: 'LimitExceededException', 500: 'InternalServerErrorException' } as const;

/** Where the parts of the app meet: what API Gateway and pollers hand to functions, and what functions ask of `@connections`. */
export class Seams {
  around: AroundInvoke | undefined;
  management: Management | undefined;
  /** Calls of `@connections` since the last time that everything was healed, by connection. */
  readonly posts = new Map<string, number>();

  constructor(app: EnginesApp) {
    const { runtime, gateway } = app;
    const invoke = runtime.invoke.bind(runtime);
    runtime.invoke = (functionName, event) => {
      if (!this.around) return invoke(functionName, event);
      return this.around(functionName.split('-').at(-1) ?? '', event, (other = event) => invoke(functionName, other));
    };
    const request = gateway.request.bind(gateway);
    gateway.request = (asked, response) => this.refuse(asked, response) || request(asked, response);
  }

  heal(): void {
    this.around = undefined;
    this.management = undefined;
    this.posts.clear();
  }

  private refuse({ method = '', url = '' }: IncomingMessage, response: ServerResponse): boolean {
    const encoded = /\/(?:@|%40)connections\/([^?]+)/.exec(url)?.[1];
    if (encoded === undefined) return false;
    const connectionId = decodeURIComponent(encoded);
    if (method === 'POST') this.posts.set(connectionId, (this.posts.get(connectionId) ?? 0) + 1);
    const status = this.management?.(method, connectionId);
    if (status === undefined) return false;
    response.writeHead(status, { 'x-amzn-ErrorType': TYPES[status], 'content-length': 0 }).end();
    return true;
  }
}
