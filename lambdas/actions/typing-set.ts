import { LIMITS } from '@parley/protocol';
import { bestEffort } from '../runtime/best-effort.ts';
import { conversationKey, userKey } from '../runtime/keys.ts';
import type { Action } from './index.ts';
import { requireMembership } from './shared/membership.ts';

/** Told to the others of conversations that carry their roster; in larger ones nobody looks at it. */
export const setTyping: Action<'typing.set'> = async ({ conversationId, typing }, principal, services) => {
  const { roster } = await requireMembership(conversationId, principal, services);
  if (!roster) return {};
  const { presence, stream, now } = services;
  const { userId } = principal;
  const stretch = `typing:${conversationKey(principal, conversationId)}:${userId}`;
  const users = roster.filter((member) => member.userId !== userId).map((member) => userKey(principal, member.userId));
  await bestEffort('typing event', undefined, async () => {
    // However often the client says so: one event per `typingCoalesceMs`, and an end only where a beginning still shows.
    const isNews = typing
      ? await presence.mark(stretch, LIMITS.typingCoalesceMs)
      : await presence.unmark(`${stretch}:shown`);
    if (typing) await presence.mark(`${stretch}:shown`, LIMITS.typingTtlMs);
    else await presence.unmark(stretch);
    if (!isNews) return;
    const body = { conversationId, userId, typing, expiresAtMs: now() + LIMITS.typingTtlMs };
    const key = userKey(principal, userId);
    await stream.publish('signals', key, { v: 1, type: 'users', users, event: { type: 'typing', body } });
  });
  return {};
};
