import type { Presence as PresenceState } from '@parley/protocol';
import type { Watcher } from '../../ports/presence/port.ts';
import { bestEffort } from '../../runtime/best-effort.ts';
import { splitKey, userKey, type Principal, type UserKey } from '../../runtime/keys.ts';
import type { Services } from '../../runtime/services.ts';

/** The connection that a frame came on, as the presence store knows it. */
export function watcherOf(principal: Principal): Watcher {
  return { user: userKey(principal, principal.userId), connectionId: principal.connectionId };
}

/** The presence of users in the order asked for; `unknown` while the store does not answer. */
export async function presenceOf(users: readonly UserKey[], { presence }: Services): Promise<PresenceState[]> {
  if (users.length === 0) return [];
  const states = await bestEffort('presence', [], () => presence.states(users));
  return users.map((user, i) => ({ userId: splitKey(user).id, ...(states[i] ?? { state: 'unknown' as const }) }));
}

/** Tells those who watch a user that its presence changed. Lossy: their own heartbeats tell them too. */
export async function tellWatchers(user: UserKey, services: Services): Promise<void> {
  const { presence, stream } = services;
  await bestEffort('presence event', undefined, async () => {
    const connections = (await presence.watchersOf(user)).map(({ user: watcher, connectionId }) => ({
      user: watcher,
      connectionId,
    }));
    const [body] = await presenceOf([user], services);
    if (connections.length === 0 || !body) return;
    await stream.publish('signals', user, {
      v: 1,
      type: 'connections',
      connections,
      event: { type: 'presence', body },
    });
  });
}
