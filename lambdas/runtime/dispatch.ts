import {
  ACTIONS,
  ERRORS,
  FrameError,
  ProtocolError,
  parseFrame,
  validateBody,
  type ActionFunction,
  type ActionName,
  type Body,
  type ErrorBody,
  type ParsedFrame,
} from '@parley/protocol';
import type { APIGatewayProxyStructuredResultV2 } from 'aws-lambda';
import type { Action } from '../actions/action.ts';
import type { ActionsOf } from '../actions/index.ts';
import { Unavailable } from '../ports/unavailable.ts';
import { userKey, type Principal } from './keys.ts';
import { logger } from './logger.ts';
import { Overload } from './overload.ts';
import { isConnectionEvent, principalOf, type RouteEvent } from './principal.ts';
import { checkRate } from './rate.ts';
import type { Services } from './services.ts';

export type RouteHandler = (event: unknown) => Promise<APIGatewayProxyStructuredResultV2>;

/**
 * The handler of a function that serves client actions: every frame gets one reply, whatever it holds and whatever fails. Checks in
 * the protocol's order: size, JSON, frame shape, action known, token not expired, rate, body; then `admit`, and the action authorizes.
 */
export function serveActions<F extends ActionFunction>(
  served: F,
  actions: ActionsOf<F>,
  services: Services,
  admit: (principal: Principal) => Promise<void> = () => Promise.resolve(),
): RouteHandler {
  const overload = new Overload(services.now);
  return async (event) => {
    const startedAtMs = services.now();
    if (!isMessageEvent(event)) return { statusCode: 400 };
    const { requestContext, body: text } = event;
    let frame: ParsedFrame | undefined;
    let principal: Principal | undefined;
    let id: string | null = null;
    try {
      frame = parseFrame(text);
      id = frame.id;
      principal = principalOf(requestContext);
      checkRoute(served, requestContext.routeKey, frame);
      if (services.now() >= principal.expiresAtMs) throw new ProtocolError('TOKEN_EXPIRED');
      overload.refuseIfShed(frame.action);
      const request = await check(frame, principal, services);
      await admit(principal);
      const body = await perform(frame.action, actions, request, principal, services);
      log('ok', requestContext, frame, services.now() - startedAtMs);
      overload.note(services.now() - startedAtMs);
      return reply({ id, ok: true, body });
    } catch (error) {
      if (error instanceof FrameError) id = error.id;
      const answer = toErrorBody(error, requestContext.requestId);
      log(answer.code, requestContext, frame, services.now() - startedAtMs);
      overload.note(services.now() - startedAtMs, error);
      if (ERRORS[answer.code].closes && principal) await closeSocket(principal, services);
      return reply({ id, ok: false, error: answer });
    }
  };
}

function checkRoute(served: ActionFunction, routeKey: string, { action, id }: ParsedFrame): void {
  // What the gateway routed by and what is carried out must be the same, or a route's rights would not be what they seem.
  if (ACTIONS[action].function !== served || routeKey !== action) {
    throw new FrameError('INVALID_FRAME', 'The action does not fit its route.', id);
  }
}

async function check<A extends ActionName>(
  frame: ParsedFrame & { action: A },
  principal: Principal,
  services: Services,
): Promise<Body<A>> {
  const { action } = frame;
  await checkRate(services, `${userKey(principal, principal.userId)}:${action}`, ACTIONS[action].rate);
  if (frame.prototypeKey) {
    throw new ProtocolError('VALIDATION_FAILED', 'A key is named __proto__, constructor or prototype.');
  }
  return validateBody(action, frame.body);
}

function perform<A extends ActionName>(
  action: A,
  actions: { readonly [B in ActionName]?: Action<B> },
  body: Body<A>,
  principal: Principal,
  services: Services,
) {
  const carryOut = actions[action];
  if (!carryOut) throw new Error(`nothing carries out ${action}`);
  return carryOut(body, principal, services);
}

function toErrorBody(error: unknown, requestId: string): ErrorBody {
  if (error instanceof ProtocolError) return error.toBody();
  if (error instanceof Unavailable) {
    logger.warn('a store did not answer', { requestId, reason: error.message });
    return new ProtocolError('UNAVAILABLE').toBody();
  }
  logger.error('unexpected failure', { requestId, error: error instanceof Error ? error : String(error) });
  return { ...new ProtocolError('INTERNAL').toBody(), requestId };
}

/** The reply goes first: `deliver` waits a moment before it closes. */
async function closeSocket(principal: Principal, { stream }: Services): Promise<void> {
  const user = userKey(principal, principal.userId);
  try {
    await stream.publish('signals', user, { v: 1, type: 'close', user, connectionId: principal.connectionId });
  } catch (error) {
    logger.warn('a socket was not closed', { connectionId: principal.connectionId, error: error as Error });
  }
}

function log(
  outcome: string,
  context: RouteEvent['requestContext'],
  frame: ParsedFrame | undefined,
  durationMs: number,
) {
  const { requestId, connectionId } = context;
  logger.info('action', { requestId, connectionId, action: frame?.action, outcome, durationMs });
}

function reply(frame: object): APIGatewayProxyStructuredResultV2 {
  return { statusCode: 200, body: JSON.stringify(frame) };
}

function isMessageEvent(event: unknown): event is RouteEvent & { readonly body: string } {
  return isConnectionEvent(event) && typeof event.body === 'string' && event.isBase64Encoded !== true;
}
