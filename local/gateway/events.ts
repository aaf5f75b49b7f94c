import type { Connection } from './connection.ts';
import { newId, newMessageId } from './ids.ts';
import type { GatewayOptions } from './options.ts';
import type { Closing } from './settings.ts';
import { withHeaders, type UpgradeRequest } from './upgrade-request.ts';

/** The fields of the API that events show. */
export class Api {
  readonly domainName: string;
  readonly methodArn: string;
  readonly apiId: string;
  readonly stage: string;
  readonly stageVariables: Readonly<Record<string, string>>;

  constructor({ apiId, stage, region, accountId, stageVariables }: GatewayOptions) {
    this.apiId = apiId;
    this.stage = stage;
    this.domainName = `${apiId}.execute-api.${region}.amazonaws.com`;
    this.methodArn = `arn:aws:execute-api:${region}:${accountId}:${apiId}/${stage}/$connect`;
    this.stageVariables = stageVariables ?? {};
  }
}

type Context = Record<string, unknown> & { readonly requestId: string };
export type Event = Record<string, unknown> & { readonly requestContext: Context };

/** `requestId` and time of one event; the events of one handshake share them. */
export interface Moment {
  readonly requestId: string;
  readonly atMs: number;
}

export function momentAt(atMs: number): Moment {
  return { requestId: newId(), atMs };
}

/** The event of `$connect`. `authorizer` is the context with `principalId` and `integrationLatency`. */
export function connectEvent(
  api: Api,
  connection: Connection,
  request: UpgradeRequest,
  moment: Moment,
  authorizer: Readonly<Record<string, string | number>> | undefined,
): Event {
  return {
    headers: request.headers.single,
    multiValueHeaders: request.headers.multi,
    ...(request.query && {
      queryStringParameters: request.query.single,
      multiValueQueryStringParameters: request.query.multi,
    }),
    ...stageVariables(api),
    requestContext: context(api, connection, moment, '$connect', 'CONNECT', authorizer),
    isBase64Encoded: false,
  };
}

/** The event of a REQUEST authorizer. */
export function authorizerEvent(api: Api, connection: Connection, request: UpgradeRequest, moment: Moment): Event {
  const headers = withHeaders(request.headers, {
    Connection: 'upgrade',
    'content-length': '0',
    Upgrade: 'websocket',
  });
  return {
    type: 'REQUEST',
    methodArn: api.methodArn,
    headers: headers.single,
    multiValueHeaders: headers.multi,
    // Empty rather than absent, as stageVariables is. [I] Copies, since the same request becomes the event of $connect.
    queryStringParameters: { ...request.query?.single },
    multiValueQueryStringParameters: structuredClone(request.query?.multi ?? {}),
    stageVariables: { ...api.stageVariables },
    requestContext: context(api, connection, moment, '$connect', 'CONNECT', undefined),
  };
}

export function messageEvent(api: Api, connection: Connection, routeKey: string, body: string, atMs: number): Event {
  const requestContext: Context = context(api, connection, momentAt(atMs), routeKey, 'MESSAGE', connection.authorizer);
  requestContext['messageId'] = newMessageId(connection.id);
  return { ...stageVariables(api), requestContext, body, isBase64Encoded: false };
}

export function disconnectEvent(api: Api, connection: Connection, closing: Closing, atMs: number): Event {
  const headers = { Host: api.domainName, 'x-api-key': '', 'X-Forwarded-For': '', 'x-restapi': '' };
  const requestContext: Context = context(
    api,
    connection,
    momentAt(atMs),
    '$disconnect',
    'DISCONNECT',
    connection.authorizer,
  );
  requestContext['disconnectStatusCode'] = closing.code;
  requestContext['disconnectReason'] = closing.reason;
  return {
    headers,
    multiValueHeaders: Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, [value]])),
    ...stageVariables(api),
    requestContext,
    isBase64Encoded: false,
  };
}

function context(
  api: Api,
  connection: Connection,
  moment: Moment,
  routeKey: string,
  eventType: string,
  authorizer: Readonly<Record<string, string | number>> | undefined,
): Context {
  const { requestId, atMs } = moment;
  const { sourceIp, userAgent } = connection;
  const fields: Context = {
    routeKey,
    eventType,
    extendedRequestId: requestId,
    requestTime: commonLogTime(atMs),
    messageDirection: 'IN',
    stage: api.stage,
    connectedAt: connection.connectedAtMs,
    requestTimeEpoch: atMs,
    identity: userAgent === undefined ? { sourceIp } : { userAgent, sourceIp },
    requestId,
    domainName: api.domainName,
    connectionId: connection.id,
    apiId: api.apiId,
  };
  // A copy: functions that run in this process may change their event.
  if (authorizer) fields['authorizer'] = { ...authorizer };
  return fields;
}

/** Present only where the stage has variables. [I] */
function stageVariables(api: Api): { stageVariables?: Record<string, string> } {
  for (const name in api.stageVariables) if (name !== '') return { stageVariables: { ...api.stageVariables } };
  return {};
}

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];
let formattedSecond = NaN;
let formatted = '';

/** For example `19/Feb/2024:07:11:42 +0000`. Kept for the second, since busy gateways ask thousands of times in it. */
export function commonLogTime(atMs: number): string {
  const second = Math.floor(atMs / 1_000);
  if (second !== formattedSecond) {
    const iso = new Date(second * 1_000).toISOString();
    const month = MONTHS[Number(iso.slice(5, 7)) - 1] ?? '';
    formatted = `${iso.slice(8, 10)}/${month}/${iso.slice(0, 4)}:${iso.slice(11, 19)} +0000`;
    formattedSecond = second;
  }
  return formatted;
}
