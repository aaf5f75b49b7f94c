import { serveActions, type RouteHandler } from './runtime/dispatch.ts';
import type { Services } from './runtime/services.ts';

/** How far members have got and read. */
export function createHandler(services: Services): RouteHandler {
  return serveActions('receipt', services);
}
