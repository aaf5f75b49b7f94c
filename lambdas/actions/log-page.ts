import { LIMITS } from '@parley/protocol';
import { conversationKey } from '../runtime/keys.ts';
import type { Action } from './action.ts';
import { fitting, toEntry } from './shared/entries.ts';
import { requireMembership } from './shared/membership.ts';
import { readBefore } from './shared/read-log.ts';

export const pageLog: Action<'log.page'> = async (body, principal, services) => {
  const { conversationId, beforeId, limit = LIMITS.pageLimitDefault } = body;
  const membership = await requireMembership(conversationId, principal, services);
  const conversation = conversationKey(principal, conversationId);
  const { rows, more } = await readBefore(conversation, membership, beforeId, limit, services);
  const { entries } = fitting(rows.map(toEntry), LIMITS.answerEntriesMaxBytes, 1);
  const last = entries.at(-1);
  const isCut = more || entries.length < rows.length;
  return { entries, ...(last && isCut && { nextBeforeId: last.id }) };
};
