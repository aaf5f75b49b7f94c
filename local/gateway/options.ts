import type { GatewaySettings } from './settings.ts';

export interface Route {
  readonly functionName: string;
  /** Has a route response, so the function's body goes to the client. */
  readonly routeResponse: boolean;
}

export interface AuthorizerOptions {
  readonly functionName: string;
  /** For example `route.request.header.Sec-WebSocket-Protocol`; when one is missing the answer is 401 without a call. */
  readonly identitySources: readonly string[];
}

export type ManagementMethod = 'POST' | 'GET' | 'DELETE';

/** What the gateway knows of an access key id that may sign calls of `@connections`. */
export interface Credentials {
  readonly secretAccessKey: string;
  readonly allowed: (method: ManagementMethod) => boolean;
  /** Named in warnings. */
  readonly functionName?: string;
}

export interface GatewayOptions {
  /** Ten characters of `a-z0-9`. */
  readonly apiId: string;
  readonly stage: string;
  readonly region: string;
  readonly accountId: string;
  /** By route key; `$connect`, `$disconnect` and `$default` included. */
  readonly routes: ReadonlyMap<string, Route>;
  /** For example `$request.body.action`. */
  readonly routeSelectionExpression: string;
  readonly authorizer?: AuthorizerOptions;
  readonly stageVariables?: Readonly<Record<string, string>>;
  /**
   * Invokes a function as the Lambda service does.
   * Rejects with `FunctionError` when the function throws, times out or crashes; with anything else when it cannot be run at all.
   */
  readonly invoke: (functionName: string, event: unknown) => Promise<unknown>;
  /** `undefined`: an unknown key. */
  readonly credentials: (accessKeyId: string) => Credentials | undefined;
  readonly settings?: Partial<GatewaySettings>;
  /** Milliseconds since the Unix epoch. Default `Date.now`. */
  readonly now?: () => number;
  /** Gets ids and outcomes; never a body, a header or a token. */
  readonly log?: (record: Record<string, unknown>) => void;
}

/** A function ran and failed: it threw, timed out or crashed. `message` is the `errorMessage` of Lambda's answer. */
export class FunctionError extends Error {
  override readonly name = 'FunctionError';
  constructor(
    /** For example `Error`, `Sandbox.Timedout`, `Runtime.ExitError`. */
    readonly errorType: string,
    errorMessage: string,
  ) {
    super(errorMessage);
  }
}

/** The integration did not answer in time. */
export class IntegrationTimeout extends Error {
  override readonly name = 'IntegrationTimeout';
}
