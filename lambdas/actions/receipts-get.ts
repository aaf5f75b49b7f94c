import { LIMITS } from '@parley/protocol';
import { conversationKey } from '../runtime/keys.ts';
import type { Action } from './action.ts';
import { requireMembership } from './shared/membership.ts';
import { fromPageToken, toPageToken } from './shared/page-token.ts';

export const getReceipts: Action<'receipts.get'> = async ({ conversationId, page }, principal, services) => {
  await requireMembership(conversationId, principal, services);
  const key = conversationKey(principal, conversationId);
  const { items, next } = await services.directory.members(key, fromPageToken(page), LIMITS.memberPageMax);
  const receipts = items.map(({ userId, deliveredSeq, readSeq }) => ({ userId, deliveredSeq, readSeq }));
  const nextPage = toPageToken(next);
  return { receipts, ...(nextPage !== undefined && { nextPage }) };
};
