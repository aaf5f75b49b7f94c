import { serveActions, type RouteHandler } from './runtime/dispatch.ts';
import type { Services } from './runtime/services.ts';

/** Resume and history. Reads only. */
export function createHandler(services: Services): RouteHandler {
  return serveActions('sync', services);
}
