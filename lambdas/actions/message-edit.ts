import { LIMITS, ProtocolError } from '@parley/protocol';
import type { Action } from './action.ts';
import { append } from './shared/append.ts';
import type { EditBody } from './shared/entries.ts';
import { requireMessage } from './shared/targets.ts';

export const editMessage: Action<'message.edit'> = async (body, principal, services) => {
  const { conversationId, clientRequestId, targetId, content } = body;
  const said: EditBody = { content };
  const { id, seq, sentAtMs } = await append(
    {
      conversationId,
      clientKey: clientRequestId,
      kind: 'edit',
      targetId,
      body: JSON.stringify(said),
      authorize: async (membership) => {
        const message = await requireMessage('targetId', targetId, conversationId, membership, principal, services);
        if (message.senderId !== principal.userId) throw new ProtocolError('FORBIDDEN', 'This message is not yours.');
        if (services.now() - message.sentAtMs >= LIMITS.messageEditWindowMs) {
          throw new ProtocolError('FORBIDDEN', 'This message is too old to be edited.');
        }
        if ((message.edits?.length ?? 0) >= LIMITS.messageEditsMax) {
          throw new ProtocolError('FORBIDDEN', `A message takes ${LIMITS.messageEditsMax} edits.`);
        }
      },
    },
    principal,
    services,
  );
  return { conversationId, id, seq, sentAtMs };
};
