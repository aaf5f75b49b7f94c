import { heartbeatActions } from './actions/index.ts';
import { directory, presence, seldomStream } from './runtime/aws/ports.ts';
import { serveActions, type RouteHandler } from './runtime/dispatch.ts';
import { deployed } from './runtime/lambda.ts';
import type { Services } from './runtime/services.ts';

/** Presence and typing. Also `$default`: what no route takes is answered here, with INVALID_JSON or UNKNOWN_ACTION. */
export function createHandler(services: Services): RouteHandler {
  return serveActions('heartbeat', heartbeatActions, services);
}

export const handler = deployed(createHandler, { directory, presence, stream: seldomStream });
