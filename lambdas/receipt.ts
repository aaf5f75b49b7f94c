import { receiptActions } from './actions/index.ts';
import { directory, presence, stream } from './runtime/aws/ports.ts';
import { serveActions, type RouteHandler } from './runtime/dispatch.ts';
import { deployed } from './runtime/lambda.ts';
import type { Services } from './runtime/services.ts';

/** How far members have got and read. */
export function createHandler(services: Services): RouteHandler {
  return serveActions('receipt', receiptActions, services);
}

export const handler = deployed(createHandler, { directory, presence, stream });
