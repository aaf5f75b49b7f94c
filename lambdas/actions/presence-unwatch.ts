import { bestEffort } from '../runtime/best-effort.ts';
import type { Action } from './action.ts';
import { watcherOf } from './shared/presence.ts';

export const unwatchPresence: Action<'presence.unwatch'> = async (_body, principal, { presence }) => {
  await bestEffort('unwatch', undefined, () => presence.watch(watcherOf(principal), [], 1));
  return {};
};
