import { displayName, LIMITS, ProtocolError, SUBPROTOCOL } from '@parley/protocol';
import type { APIGatewayProxyStructuredResultV2 } from 'aws-lambda';
import * as v from 'valibot';
import { directory, gateway } from './runtime/aws/ports.ts';
import { bestEffort } from './runtime/best-effort.ts';
import { subprotocolsOf } from './runtime/handshake.ts';
import { userKey, type Principal } from './runtime/keys.ts';
import { deployed } from './runtime/lambda.ts';
import { logger } from './runtime/logger.ts';
import { isConnectionEvent, principalOf, type RouteEvent } from './runtime/principal.ts';
import type { Services } from './runtime/services.ts';

/** Registers a new connection. The upgrade is pending until it answers: anything but 200 refuses the socket with that status. */
export function createHandler(services: Services) {
  return async (event: unknown): Promise<APIGatewayProxyStructuredResultV2> => {
    if (!isConnectionEvent(event)) return { statusCode: 400 };
    if (!subprotocolsOf(event).includes(SUBPROTOCOL)) return { statusCode: 400 };
    let principal: Principal;
    try {
      principal = principalOf(event.requestContext);
    } catch (error) {
      if (error instanceof ProtocolError) return { statusCode: 401 };
      throw error;
    }
    const user = userKey(principal, principal.userId);
    const state = await services.directory.admitUser(user, nameOf(event));
    if (state !== 'active') return { statusCode: 403 };
    const { connectionId, deviceId, connectedAtMs, expiresAtMs } = principal;
    const connections = await services.directory.addConnection(user, {
      connectionId,
      deviceId,
      connectedAtMs,
      expiresAtMs: Math.min(expiresAtMs, connectedAtMs + LIMITS.socketMaxMs),
    });
    const oldest = [...connections]
      .sort((a, b) => a.connectedAtMs - b.connectedAtMs)
      .filter((connection) => connection.connectionId !== connectionId)
      .slice(0, Math.max(0, connections.length - LIMITS.connectionsPerUserMax));
    for (const { connectionId: evicted } of oldest) {
      await services.directory.removeConnection(user, evicted);
      await bestEffort('closing the oldest socket', undefined, () => services.gateway.close(evicted));
    }
    logger.info('connected', { connectionId, evicted: oldest.length });
    return { statusCode: 200, headers: { 'Sec-WebSocket-Protocol': SUBPROTOCOL } };
  };
}

function nameOf({ requestContext }: Pick<RouteEvent, 'requestContext'>): string | undefined {
  const name = requestContext.authorizer?.['name'];
  return v.is(displayName, name) ? name : undefined;
}

export const handler = deployed(createHandler, { directory, gateway });
