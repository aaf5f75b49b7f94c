import { LIMITS } from '@parley/protocol';
import { CACHE_KEYS } from '@parley/protocol/stores';
import { bestEffort } from '../../runtime/best-effort.ts';
import type { ConversationKey } from '../../runtime/keys.ts';
import { logger } from '../../runtime/logger.ts';
import type { Services } from '../../runtime/services.ts';

/** Numbers side by side that have no row. */
export interface Hole {
  readonly firstSeq: number;
  readonly lastSeq: number;
  /** The youngest of them was taken before this. */
  readonly takenBeforeMs: number;
}

/** Many clients see one hole at once, and come again every second. */
const ASKED_AGAIN_AFTER_MS = 5_000;
/** How long it is remembered that a hole was seen. */
const SEEN_KEPT_MS = 10 * 60_000;

/** Has an old hole closed. Age says only when to ask: whether a number becomes void, its row decides. */
export async function askToClose(conversation: ConversationKey, hole: Hole, services: Services): Promise<void> {
  const { presence, repairs } = services;
  if (!(await isOld(conversation, hole, services))) return;
  const mark = `${CACHE_KEYS.repairs}${conversation}:${hole.firstSeq}`;
  const isFirst = await bestEffort('asked mark', true, () => presence.mark(mark, ASKED_AGAIN_AFTER_MS));
  if (!isFirst) return;
  const count = Math.min(hole.lastSeq - hole.firstSeq + 1, LIMITS.repairNumbersMax);
  const seqs = Array.from({ length: count }, (_, i) => hole.firstSeq + i);
  logger.warn('numbers have no entry', { conversation, seq: hole.firstSeq, count });
  await bestEffort('repair', undefined, () => repairs.request({ type: 'repair', conversation, seqs }));
}

/** By the clock of whoever took the next number. Where that one is ahead of ours, by when the hole was first seen. */
async function isOld(conversation: ConversationKey, hole: Hole, { presence, now }: Services): Promise<boolean> {
  const ageMs = now() - hole.takenBeforeMs;
  if (ageMs >= 0) return ageMs >= LIMITS.voidAfterMs;
  const seen = `${CACHE_KEYS.repairs}seen:${conversation}:${hole.firstSeq}`;
  const young = `${seen}:young`;
  return bestEffort('seen mark', false, async () => {
    if (!(await presence.mark(seen, SEEN_KEPT_MS))) return !(await presence.isMarked(young));
    await presence.mark(young, LIMITS.voidAfterMs);
    return false;
  });
}
