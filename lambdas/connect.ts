import { setTimeout as sleep } from 'node:timers/promises';
import { displayName, LIMITS, ProtocolError, SUBPROTOCOL } from '@parley/protocol';
import type { APIGatewayProxyStructuredResultV2 } from 'aws-lambda';
import * as v from 'valibot';
import type { Connection } from './ports/directory/port.ts';
import { directory, gateway } from './runtime/aws/ports.ts';
import { bestEffort } from './runtime/best-effort.ts';
import { subprotocolsOf } from './runtime/handshake.ts';
import { userKey, type Principal, type UserKey } from './runtime/keys.ts';
import { deployed } from './runtime/lambda.ts';
import { logger } from './runtime/logger.ts';
import { isConnectionEvent, principalOf, type RouteEvent } from './runtime/principal.ts';
import type { Services } from './runtime/services.ts';

/** By then a handshake that was pending has ended, as a rule. */
const CLOSE_AGAIN_AFTER_MS = 300;

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
    const evicted = oldestBeyond(connections, connectionId);
    for (const one of evicted) await evict(user, one, services);
    if (evicted.some((one) => connectedAtMs - one.connectedAtMs < LIMITS.handshakeMaxMs)) {
      // A crowd of one user: sockets that are still opening cannot be closed, and this one may have been evicted meanwhile.
      await sleep(CLOSE_AGAIN_AFTER_MS);
      for (const one of evicted) await close(one, services);
      if (!(await isRegistered(user, connectionId, services))) return { statusCode: 429 };
    }
    logger.info('connected', { connectionId, evicted: evicted.length });
    return { statusCode: 200, headers: { 'Sec-WebSocket-Protocol': SUBPROTOCOL } };
  };
}

/** The oldest, as many as there are too many; never the new one, whose clock may be behind. */
function oldestBeyond(connections: readonly Connection[], newest: string): Connection[] {
  return [...connections]
    .sort((a, b) => a.connectedAtMs - b.connectedAtMs)
    .filter(({ connectionId }) => connectionId !== newest)
    .slice(0, Math.max(0, connections.length - LIMITS.connectionsPerUserMax));
}

async function evict(user: UserKey, connection: Connection, services: Services): Promise<void> {
  await services.directory.removeConnection(user, connection.connectionId);
  await close(connection, services);
}

async function close({ connectionId }: Connection, { gateway }: Services): Promise<void> {
  await bestEffort('closing the oldest socket', undefined, () => gateway.close(connectionId));
}

async function isRegistered(user: UserKey, connectionId: string, { directory }: Services): Promise<boolean> {
  const connections = (await directory.connectionsOf([user])).get(user) ?? [];
  return connections.some((one) => one.connectionId === connectionId);
}

function nameOf({ requestContext }: Pick<RouteEvent, 'requestContext'>): string | undefined {
  const name = requestContext.authorizer?.['name'];
  return v.is(displayName, name) ? name : undefined;
}

export const handler = deployed(createHandler, { directory, gateway });
