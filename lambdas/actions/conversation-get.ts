import type { Action } from './action.ts';
import { requireMembership, toConversation } from './shared/membership.ts';

export const getConversation: Action<'conversation.get'> = async ({ conversationId }, principal, services) => ({
  conversation: toConversation(conversationId, await requireMembership(conversationId, principal, services)),
});
