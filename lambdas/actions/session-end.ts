import { bestEffort } from '../runtime/best-effort.ts';
import type { Action } from './action.ts';
import { tellWatchers, watcherOf } from './shared/presence.ts';

export const endSession: Action<'session.end'> = async (_body, principal, services) => {
  const watcher = watcherOf(principal);
  const { disappeared } = await bestEffort('session end', { disappeared: false }, () => services.presence.end(watcher));
  if (disappeared) await tellWatchers(watcher.user, services);
  return {};
};
