import { ProtocolError } from '@parley/protocol';
import type { APIGatewayProxyStructuredResultV2 } from 'aws-lambda';
import { directory } from './runtime/aws/ports.ts';
import { userKey } from './runtime/keys.ts';
import { deployed } from './runtime/lambda.ts';
import { isConnectionEvent, principalOf } from './runtime/principal.ts';
import type { Services } from './runtime/services.ts';

/**
 * Removes the row of just this connection: the event may come late, or not at all, and the user may long have another. Presence ends by
 * `session.end` or by itself.
 */
export function createHandler({ directory }: Services) {
  return async (event: unknown): Promise<APIGatewayProxyStructuredResultV2> => {
    if (!isConnectionEvent(event)) return { statusCode: 400 };
    try {
      const principal = principalOf(event.requestContext);
      await directory.removeConnection(userKey(principal, principal.userId), principal.connectionId);
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
    }
    return { statusCode: 200 };
  };
}

export const handler = deployed(createHandler, { directory });
