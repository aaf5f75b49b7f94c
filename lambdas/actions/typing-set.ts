import { LIMITS } from '@parley/protocol';
import { CACHE_KEYS } from '@parley/protocol/stores';
import { bestEffort } from '../runtime/best-effort.ts';
import { conversationKey, userKey } from '../runtime/keys.ts';
import type { Action } from './action.ts';
import { requireMembership } from './shared/membership.ts';

/** Told to the others of conversations that carry their roster; in larger ones nobody looks at it. */
export const setTyping: Action<'typing.set'> = async ({ conversationId, typing }, principal, services) => {
  const { roster } = await requireMembership(conversationId, principal, services);
  if (!roster) return {};
  const { presence, stream, now } = services;
  const { userId } = principal;
  const typist = `${conversationKey(principal, conversationId)}:${userId}`;
  const [stretch, shown] = [`${CACHE_KEYS.typing}${typist}`, `${CACHE_KEYS.typing}shown:${typist}`];
  const users = roster.filter((member) => member.userId !== userId).map((member) => userKey(principal, member.userId));
  await bestEffort('typing event', undefined, async () => {
    // However often the client says so: one event per `typingCoalesceMs`, and an end only where a beginning still shows.
    const isNews = typing ? await presence.mark(stretch, LIMITS.typingCoalesceMs) : await presence.unmark(shown);
    if (!typing) await presence.unmark(stretch);
    if (!isNews) return;
    if (typing) {
      // Each event shows for `typingTtlMs` anew, and a mark is not prolonged by marking again.
      await presence.unmark(shown);
      await presence.mark(shown, LIMITS.typingTtlMs);
    }
    const body = { conversationId, userId, typing, expiresAtMs: now() + LIMITS.typingTtlMs };
    const key = userKey(principal, userId);
    await stream.publish('signals', key, { v: 1, type: 'users', users, event: { type: 'typing', body } });
  });
  return {};
};
