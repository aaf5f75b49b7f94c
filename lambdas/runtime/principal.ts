import { DEVICE_ID, ProtocolError, USER_ID, WORKSPACE_ID } from '@parley/protocol';
import type { Principal } from './keys.ts';

/** What Parley reads of a MESSAGE, CONNECT or DISCONNECT event of API Gateway. */
export interface RouteEvent {
  readonly requestContext: {
    readonly routeKey: string;
    readonly connectionId: string;
    readonly requestId: string;
    readonly connectedAt: number;
    readonly authorizer?: Readonly<Record<string, unknown>>;
  };
  readonly headers?: Readonly<Record<string, string>>;
  readonly multiValueHeaders?: Readonly<Record<string, string[]>>;
  /** Absent in CONNECT and DISCONNECT. */
  readonly body?: string;
  readonly isBase64Encoded?: boolean;
}

/** Anything else is no event of a socket: it is refused without touching a store. */
export function isConnectionEvent(event: unknown): event is RouteEvent {
  const { requestContext } = (event ?? {}) as { requestContext?: Partial<RouteEvent['requestContext']> | null };
  return (
    typeof requestContext?.connectionId === 'string' &&
    typeof requestContext.routeKey === 'string' &&
    typeof requestContext.requestId === 'string' &&
    typeof requestContext.connectedAt === 'number'
  );
}

/** What the authorizer hands to every later event of the connection; API Gateway makes strings of all of it. */
export interface AuthorizerContext {
  readonly userId: string;
  readonly workspaceId: string;
  readonly deviceId: string;
  readonly expiresAtMs: string;
  readonly name?: string;
}

/**
 * Who sent the event.
 * @throws {ProtocolError} UNAUTHENTICATED when the authorizer's context is missing or not of its form.
 */
export function principalOf({ authorizer, connectionId, connectedAt }: RouteEvent['requestContext']): Principal {
  const { userId, workspaceId, deviceId, expiresAtMs } = authorizer ?? {};
  if (
    typeof userId !== 'string' ||
    typeof workspaceId !== 'string' ||
    typeof deviceId !== 'string' ||
    typeof expiresAtMs !== 'string' ||
    !USER_ID.test(userId) ||
    !WORKSPACE_ID.test(workspaceId) ||
    !DEVICE_ID.test(deviceId) ||
    !/^\d{1,16}$/.test(expiresAtMs)
  ) {
    throw new ProtocolError('UNAUTHENTICATED');
  }
  return { userId, workspaceId, deviceId, connectionId, connectedAtMs: connectedAt, expiresAtMs: Number(expiresAtMs) };
}
