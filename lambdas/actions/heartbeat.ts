import { LIMITS, type Reply } from '@parley/protocol';
import { bestEffort } from '../runtime/best-effort.ts';
import { conversationKey, type Principal } from '../runtime/keys.ts';
import type { Services } from '../runtime/services.ts';
import type { Action } from './action.ts';
import { presenceOf, tellWatchers, watcherOf } from './shared/presence.ts';

export const heartbeat: Action<'heartbeat'> = async ({ heads = {}, invisible = false }, principal, services) => {
  const watcher = watcherOf(principal);
  const { appeared } = await bestEffort('heartbeat', { appeared: false }, () =>
    services.presence.beat(watcher, invisible, LIMITS.presenceTtlMs),
  );
  if (appeared) await tellWatchers(watcher.user, services);
  const watched = await bestEffort('watched users', [], () =>
    services.presence.watchedBy(watcher, LIMITS.presenceTtlMs),
  );
  const [presence, behind] = await Promise.all([
    presenceOf(watched, services),
    findBehind(new Map(Object.entries(heads)), principal, services),
  ]);
  return { serverTimeMs: services.now(), behind, presence };
};

/** Only what seems to have moved on is looked up in the directory, which also says whether the caller may know. */
async function findBehind(
  known: ReadonlyMap<string, number>,
  principal: Principal,
  { directory, presence }: Services,
): Promise<Reply<'heartbeat'>['behind']> {
  const ids = [...known.keys()];
  const keys = ids.map((id) => conversationKey(principal, id));
  const cached = await bestEffort('cached heads', [], () => presence.heads(keys));
  const maybe = keys.filter((_, i) => (cached[i] ?? Infinity) > (known.get(ids[i] ?? '') ?? 0));
  const memberships = await directory.memberships(maybe, principal.userId);
  const behind: Reply<'heartbeat'>['behind'] = [];
  for (const [conversationId, seq] of known) {
    const headSeq = memberships.get(conversationKey(principal, conversationId))?.head.seq ?? 0;
    if (headSeq > seq) behind.push({ conversationId, headSeq });
  }
  return behind;
}
