import { performance } from 'node:perf_hooks';
import { authorizerEvent, type Api, type Event, type Moment } from './events.ts';
import type { Connection } from './connection.ts';
import type { Invoker } from './invoker.ts';
import { FunctionError, type AuthorizerOptions } from './options.ts';
import { policyAllows } from './policy.ts';
import { UPGRADE_REFUSALS, type GatewaySettings, type Refusal } from './settings.ts';
import type { UpgradeRequest } from './upgrade-request.ts';

export interface Authorized {
  /** The context, stringified, with `principalId`. */
  readonly context: Readonly<Record<string, string>>;
  readonly integrationLatencyMs: number;
}

/** Why a handshake goes no further; `cause` is for the log and holds no value of the client. */
export interface Refused {
  readonly refusal: Refusal;
  readonly cause: string;
}

/** Asks the REQUEST authorizer of `$connect`. Nothing is cached. */
export class Authorizer {
  constructor(
    private readonly options: AuthorizerOptions,
    private readonly api: Api,
    private readonly invoker: Invoker,
    private readonly settings: GatewaySettings,
  ) {}

  async ask(connection: Connection, request: UpgradeRequest, moment: Moment): Promise<Authorized | Refused> {
    const event = authorizerEvent(this.api, connection, request, moment);
    const missing = this.options.identitySources.find((source) => !identityOf(source, event));
    if (missing !== undefined) return { refusal: UPGRADE_REFUSALS.unauthorized, cause: `no ${missing}` };
    const startedAtMs = performance.now();
    let answer: unknown;
    try {
      answer = await this.invoker.run(this.options.functionName, event);
    } catch (error) {
      const unauthorized = error instanceof FunctionError && error.message === 'Unauthorized';
      return unauthorized
        ? { refusal: UPGRADE_REFUSALS.unauthorized, cause: 'the authorizer said Unauthorized' }
        : { refusal: UPGRADE_REFUSALS.authorizerFailed, cause: 'the authorizer failed' };
    }
    const integrationLatencyMs = Math.round(performance.now() - startedAtMs);
    try {
      const { allowed, context } = this.#read(answer);
      if (allowed) return { context, integrationLatencyMs };
      return { refusal: UPGRADE_REFUSALS.denied, cause: 'the policy does not allow $connect' };
    } catch (error) {
      return {
        refusal: UPGRADE_REFUSALS.authorizerFailed,
        cause: `malformed answer of the authorizer: ${String(error)}`,
      };
    }
  }

  #read(answer: unknown): { allowed: boolean; context: Record<string, string> } {
    if (typeof answer !== 'object' || answer === null) throw new Error('not an object');
    if (Buffer.byteLength(JSON.stringify(answer)) > this.settings.authorizerResultMaxBytes)
      throw new Error('too large');
    const { principalId, policyDocument, context } = answer as Record<string, unknown>;
    if (typeof principalId !== 'string' || principalId === '') throw new Error('no principalId');
    return {
      allowed: policyAllows(policyDocument, this.api.methodArn),
      context: { ...stringified(context ?? {}), principalId },
    };
  }
}

function stringified(context: unknown): Record<string, string> {
  if (typeof context !== 'object' || context === null || Array.isArray(context))
    throw new Error('context is no object');
  const entries = Object.entries(context).filter(([, value]) => value !== null && value !== undefined);
  return Object.fromEntries(
    entries.map(([name, value]): [string, string] => {
      if (typeof value !== 'string' && typeof value !== 'number' && typeof value !== 'boolean') {
        throw new Error('a context value is neither text, number nor boolean');
      }
      return [name, String(value)];
    }),
  );
}

/** The value of an identity source such as `route.request.header.Auth`; header names without regard to case. */
function identityOf(source: string, event: Event): unknown {
  const [, kind = '', name = ''] =
    /^(route\.request\.header|route\.request\.querystring|context|stageVariables)\.(.+)$/.exec(source) ?? [];
  switch (kind) {
    case 'route.request.header': {
      const headers = Object.entries(event['headers'] as Record<string, string>);
      return headers.find(([header]) => header.toLowerCase() === name.toLowerCase())?.[1];
    }
    case 'route.request.querystring':
      return own(event['queryStringParameters'], name);
    case 'context':
      return own(event.requestContext, name);
    case 'stageVariables':
      return own(event['stageVariables'], name);
    default:
      return undefined;
  }
}

function own(fields: unknown, name: string): unknown {
  return Object.hasOwn(fields as object, name) ? (fields as Record<string, unknown>)[name] : undefined;
}
