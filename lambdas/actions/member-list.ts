import { LIMITS } from '@parley/protocol';
import { conversationKey } from '../runtime/keys.ts';
import type { Action } from './action.ts';
import { requireMembership } from './shared/membership.ts';
import { fromPageToken, toPageToken } from './shared/page-token.ts';

export const listMembers: Action<'member.list'> = async ({ conversationId, page }, principal, services) => {
  await requireMembership(conversationId, principal, services);
  const key = conversationKey(principal, conversationId);
  const { items, next } = await services.directory.members(key, fromPageToken(page), LIMITS.memberPageMax);
  const members = items.map(({ userId, role }) => ({ userId, role }));
  const nextPage = toPageToken(next);
  return { members, ...(nextPage !== undefined && { nextPage }) };
};
