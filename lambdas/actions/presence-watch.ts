import { LIMITS } from '@parley/protocol';
import { bestEffort } from '../runtime/best-effort.ts';
import { userKey } from '../runtime/keys.ts';
import type { Action } from './action.ts';
import { presenceOf, watcherOf } from './shared/presence.ts';

/** Strangers to the workspace are left out as if they had not been named. */
export const watchPresence: Action<'presence.watch'> = async ({ userIds }, principal, services) => {
  const users = [...new Set(userIds)].map((userId) => userKey(principal, userId));
  const active = await services.directory.activeUsers(users);
  const watched = users.filter((user) => active.has(user));
  await bestEffort('watch', undefined, () =>
    services.presence.watch(watcherOf(principal), watched, LIMITS.presenceTtlMs),
  );
  return { presence: await presenceOf(watched, services) };
};
