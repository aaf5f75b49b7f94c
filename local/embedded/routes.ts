import { ACTIONS, ACTION_NAMES } from '@parley/protocol';
import type { Route } from '../gateway/gateway.ts';

/** The routes of the WebSocket API, from the protocol's table: one per action, each answered by its function. */
export function routesOfProtocol(): Map<string, Route> {
  const routes = new Map<string, Route>([
    ['$connect', { functionName: 'connect', routeResponse: false }],
    ['$disconnect', { functionName: 'disconnect', routeResponse: false }],
    ['$default', { functionName: 'heartbeat', routeResponse: true }],
  ]);
  for (const action of ACTION_NAMES) {
    routes.set(action, { functionName: ACTIONS[action].function, routeResponse: true });
  }
  return routes;
}
