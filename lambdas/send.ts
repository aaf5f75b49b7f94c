import { serveActions, type RouteHandler } from './runtime/dispatch.ts';
import type { Services } from './runtime/services.ts';

/** The hot path: persists an entry, numbers it, hands it on. */
export function createHandler(services: Services): RouteHandler {
  return serveActions('send', services);
}
