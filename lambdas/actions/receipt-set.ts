import { LIMITS, ProtocolError } from '@parley/protocol';
import { bestEffort } from '../runtime/best-effort.ts';
import { conversationKey } from '../runtime/keys.ts';
import type { Action } from './action.ts';
import { requireMembership } from './shared/membership.ts';

export const setReceipt: Action<'receipt.set'> = async (body, principal, services) => {
  const { conversationId, deliveredSeq = 0, readSeq = 0 } = body;
  const { head } = await requireMembership(conversationId, principal, services);
  for (const [field, seq] of Object.entries({ deliveredSeq, readSeq })) {
    if (seq > head.seq) throw new ProtocolError('VALIDATION_FAILED', `${field} lies beyond the newest entry.`);
  }
  const conversation = conversationKey(principal, conversationId);
  const { userId } = principal;
  const { receipt, raised } = await services.directory.raiseReceipt(conversation, { userId, deliveredSeq, readSeq });
  if (raised && head.memberCount <= LIMITS.receiptPushMembersMax) {
    await bestEffort('receipt event', undefined, () =>
      services.stream.publish('conversation-events', conversation, {
        v: 1,
        type: 'receipt',
        conversation,
        event: { type: 'receipt', body: { conversationId, ...receipt } },
      }),
    );
  }
  return { deliveredSeq: receipt.deliveredSeq, readSeq: receipt.readSeq };
};
