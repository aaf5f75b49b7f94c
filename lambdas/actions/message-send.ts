import { ProtocolError } from '@parley/protocol';
import type { Membership } from '../ports/directory/port.ts';
import { conversationKey, type Principal } from '../runtime/keys.ts';
import type { Services } from '../runtime/services.ts';
import type { Action } from './action.ts';
import { append } from './shared/append.ts';
import type { MessageBody } from './shared/entries.ts';
import { isMember } from './shared/membership.ts';
import { requireMessage } from './shared/targets.ts';

export const sendMessage: Action<'message.send'> = async (body, principal, services) => {
  const { conversationId, clientMessageId, content, threadId, replyToId, mentions } = body;
  const said: MessageBody = {
    content,
    ...(threadId !== undefined && { threadId }),
    ...(replyToId !== undefined && { replyToId }),
    ...(mentions !== undefined && { mentions }),
  };
  const draft = {
    conversationId,
    clientKey: clientMessageId,
    kind: 'message' as const,
    body: JSON.stringify(said),
    authorize: (membership: Membership) => mayRefer(said, membership, conversationId, principal, services),
  };
  const { id, seq, sentAtMs } = await append(draft, principal, services);
  return { conversationId, id, seq, sentAtMs };
};

/** A message refers only to messages of its own conversation, and mentions only its members. */
async function mayRefer(
  { threadId, replyToId, mentions }: MessageBody,
  membership: Membership,
  conversationId: string,
  principal: Principal,
  services: Services,
): Promise<void> {
  for (const [field, id] of Object.entries({ threadId, replyToId })) {
    if (id !== undefined) await requireMessage(field, id, conversationId, membership, principal, services);
  }
  const conversation = conversationKey(principal, conversationId);
  const mentioned = await Promise.all(
    (mentions ?? []).map((userId) => isMember(conversation, userId, membership, services)),
  );
  if (mentioned.includes(false)) throw new ProtocolError('VALIDATION_FAILED', 'mentions must name members only.');
}
