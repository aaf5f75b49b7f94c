import { ProtocolError } from '@parley/protocol';
import { conversationActions } from './actions/index.ts';
import { directory, log, presence, stream } from './runtime/aws/ports.ts';
import { serveActions, type RouteHandler } from './runtime/dispatch.ts';
import { userKey } from './runtime/keys.ts';
import { deployed } from './runtime/lambda.ts';
import type { Services } from './runtime/services.ts';

/** Conversations and their members. A connection that was revoked is refused here, since its socket may still stand for a while. */
export function createHandler(services: Services): RouteHandler {
  return serveActions('conversation', conversationActions, services, async (principal) => {
    const user = userKey(principal, principal.userId);
    const connections = (await services.directory.connectionsOf([user])).get(user) ?? [];
    if (!connections.some(({ connectionId }) => connectionId === principal.connectionId)) {
      throw new ProtocolError('UNAUTHENTICATED');
    }
  });
}

export const handler = deployed(createHandler, { directory, log, presence, stream });
