import { LIMITS } from '@parley/protocol';
import { conversationKey } from '../runtime/keys.ts';
import type { Action } from './action.ts';
import { fitting, toEntry } from './shared/entries.ts';
import { requireMembership } from './shared/membership.ts';

export const pageLog: Action<'log.page'> = async (body, principal, services) => {
  const { conversationId, beforeId, limit = LIMITS.pageLimitDefault } = body;
  await requireMembership(conversationId, principal, services);
  const rows = await services.log.before(conversationKey(principal, conversationId), beforeId, limit + 1);
  const { entries } = fitting(rows.slice(0, limit).map(toEntry), LIMITS.answerEntriesMaxBytes, 1);
  const last = entries.at(-1);
  return { entries, ...(last && entries.length < rows.length && { nextBeforeId: last.id }) };
};
