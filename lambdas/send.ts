import { sendActions } from './actions/index.ts';
import { direct, directory, log, presence, stream } from './runtime/aws/ports.ts';
import { serveActions, type RouteHandler } from './runtime/dispatch.ts';
import { deployed } from './runtime/lambda.ts';
import type { Services } from './runtime/services.ts';

/** The hot path: persists an entry, numbers it, hands it on. */
export function createHandler(services: Services): RouteHandler {
  return serveActions('send', sendActions, services);
}

export const handler = deployed(createHandler, { direct, directory, log, presence, stream });
