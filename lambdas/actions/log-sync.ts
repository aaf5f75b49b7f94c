import { LIMITS } from '@parley/protocol';
import { conversationKey } from '../runtime/keys.ts';
import type { Action } from './action.ts';
import { askToClose } from './shared/holes.ts';
import { requireMembership } from './shared/membership.ts';
import { checkCursor, readAfter } from './shared/read-log.ts';

/** How long a client waits for a pending number before it asks again. */
const PENDING_RETRY_MS = 1_000;

export const syncLog: Action<'log.sync'> = async (body, principal, services) => {
  const { conversationId, after, epoch, limit = LIMITS.syncLimitDefault } = body;
  const conversation = conversationKey(principal, conversationId);
  const membership = await requireMembership(conversationId, principal, services);
  await checkCursor(conversation, membership, after, epoch, services);
  const bounds = { limit, maxBytes: LIMITS.answerEntriesMaxBytes };
  const { entries, completeToSeq, limited, hole } = await readAfter(conversation, membership, after, bounds, services);
  if (hole) await askToClose(conversation, hole, services);
  const last = entries.at(-1);
  return {
    epoch: membership.head.epoch,
    headSeq: Math.max(membership.head.seq, last?.seq ?? 0),
    entries,
    completeToSeq,
    limited,
    ...(limited && last && { next: { seq: last.seq, id: last.id } }),
    ...(hole && { retryAfterMs: PENDING_RETRY_MS }),
  };
};
