import { splitKey, userKey } from '../runtime/keys.ts';
import type { Action } from './action.ts';
import { toConversation } from './shared/membership.ts';
import { fromPageToken, toPageToken } from './shared/page-token.ts';

/** So many conversations stay below the size of a message, even with 32 members of the longest names each: 5.6 KB at most. */
const LIST_PAGE_MAX = 20;

export const listConversations: Action<'conversation.list'> = async ({ page }, principal, { directory }) => {
  const user = userKey(principal, principal.userId);
  const { items, next } = await directory.conversationsOf(user, fromPageToken(page), LIST_PAGE_MAX);
  const memberships = await directory.memberships(items, principal.userId);
  const nextPage = toPageToken(next);
  return {
    conversations: [...memberships].map(([key, membership]) => toConversation(splitKey(key).id, membership)),
    ...(nextPage !== undefined && { nextPage }),
  };
};
