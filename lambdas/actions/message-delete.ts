import { ProtocolError } from '@parley/protocol';
import type { Action } from './action.ts';
import { append } from './shared/append.ts';
import { requireMessage } from './shared/targets.ts';

export const deleteMessage: Action<'message.delete'> = async (body, principal, services) => {
  const { conversationId, clientRequestId, targetId } = body;
  const { id, seq, sentAtMs } = await append(
    {
      conversationId,
      clientKey: clientRequestId,
      kind: 'delete',
      targetId,
      body: '{}',
      authorize: async (membership) => {
        const message = await requireMessage('targetId', targetId, conversationId, membership, principal, services);
        if (message.senderId !== principal.userId && membership.me.role !== 'owner') {
          throw new ProtocolError('FORBIDDEN', 'This message is not yours.');
        }
      },
    },
    principal,
    services,
  );
  return { conversationId, id, seq, sentAtMs };
};
