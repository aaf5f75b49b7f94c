import { syncActions } from './actions/index.ts';
import { directory, log, presence, repairs } from './runtime/aws/ports.ts';
import { serveActions, type RouteHandler } from './runtime/dispatch.ts';
import { deployed } from './runtime/lambda.ts';
import type { Services } from './runtime/services.ts';

/** Resume and history. Reads only, and asks `repair` to close old holes. */
export function createHandler(services: Services): RouteHandler {
  return serveActions('sync', syncActions, services);
}

export const handler = deployed(createHandler, { directory, log, presence, repairs });
