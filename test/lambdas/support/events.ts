import type { MSKEvent } from 'aws-lambda';
import { ACTIONS, isActionName, type ActionFunction } from '@parley/protocol';
import type { RouteEvent } from '../../../lambdas/runtime/principal.ts';

/** What API Gateway knows of a connection. */
export interface SocketContext {
  readonly connectionId: string;
  readonly connectedAt: number;
  readonly authorizer: Readonly<Record<string, unknown>>;
}

let requests = 0;

function contextOf(socket: SocketContext, routeKey: string, eventType: string): RouteEvent['requestContext'] {
  const { connectionId, connectedAt, authorizer } = socket;
  const requestId = `request-${++requests}=`;
  const context = {
    routeKey,
    eventType,
    extendedRequestId: requestId,
    requestTime: '14/Nov/2023:22:13:20 +0000',
    messageDirection: 'IN',
    stage: 'test',
    connectedAt,
    requestTimeEpoch: connectedAt,
    requestId,
    domainName: 'abcdefghij.execute-api.eu-west-1.amazonaws.com',
    connectionId,
    apiId: 'abcdefghij',
    authorizer: { ...authorizer, integrationLatency: 12 },
  };
  return eventType === 'MESSAGE' ? ({ ...context, messageId: requestId } as RouteEvent['requestContext']) : context;
}

export function messageEvent(socket: SocketContext, text: string, routeKey: string): RouteEvent {
  return { requestContext: contextOf(socket, routeKey, 'MESSAGE'), body: text, isBase64Encoded: false };
}

export function connectEvent(socket: SocketContext, protocols = 'parley.v1, bearer.x.y.z'): RouteEvent {
  return {
    headers: { 'Sec-WebSocket-Protocol': protocols },
    multiValueHeaders: { 'Sec-WebSocket-Protocol': [protocols] },
    requestContext: contextOf(socket, '$connect', 'CONNECT'),
    isBase64Encoded: false,
  };
}

export function disconnectEvent(socket: SocketContext): RouteEvent {
  return { requestContext: contextOf(socket, '$disconnect', 'DISCONNECT'), isBase64Encoded: false };
}

/** Where the gateway takes a text: to the route that `$request.body.action` names, else to `$default`. */
export function routeOf(text: string): { routeKey: string; function: ActionFunction } {
  let action: unknown;
  try {
    action = (JSON.parse(text) as { action?: unknown } | null)?.action;
  } catch {
    action = undefined;
  }
  if (typeof action === 'string' && isActionName(action))
    return { routeKey: action, function: ACTIONS[action].function };
  return { routeKey: '$default', function: 'heartbeat' };
}

/** The key under which the record would be published. */
function keyOf(record: unknown): string {
  try {
    const value: unknown = typeof record === 'string' ? JSON.parse(record) : record;
    const { conversation } = value as { conversation?: unknown };
    return typeof conversation === 'string' ? conversation : 'key';
  } catch {
    return 'key';
  }
}

/** A batch of one partition, as an event source mapping hands it over. Strings go as they are, anything else as JSON. */
export function mskEvent(topic: string, records: readonly unknown[]): MSKEvent {
  return {
    eventSource: 'aws:kafka',
    eventSourceArn: 'arn:aws:kafka:eu-west-1:000000000000:cluster/test/1',
    bootstrapServers: 'b-1.test:9098',
    records: {
      [`${topic}-0`]: records.map((record, offset) => ({
        topic,
        partition: 0,
        offset,
        timestamp: 1_700_000_000_000,
        timestampType: 'CREATE_TIME',
        key: Buffer.from(keyOf(record)).toString('base64'),
        value: Buffer.from(typeof record === 'string' ? record : JSON.stringify(record)).toString('base64'),
        headers: [],
      })),
    },
  };
}
