import type { ActionName, Body, Reply } from '@parley/protocol';
import type { Principal } from '../runtime/keys.ts';
import type { Services } from '../runtime/services.ts';

/**
 * Carries out one action for a principal whose token, rate and body are already checked. Authorizes; throws `ProtocolError` for what
 * the client is told, `Unavailable` for what it may repeat.
 */
export type Action<A extends ActionName> = (
  body: Body<A>,
  principal: Principal,
  services: Services,
) => Promise<Reply<A>>;
