import { ProtocolError } from '@parley/protocol';
import type { Membership } from '../ports/directory/port.ts';
import { conversationKey, type Principal } from '../runtime/keys.ts';
import type { Services } from '../runtime/services.ts';
import type { Action } from './action.ts';
import { append } from './shared/append.ts';
import type { EntryBody } from './shared/entries.ts';

export const sendMessage: Action<'message.send'> = async (body, principal, services) => {
  const { conversationId, clientMessageId, content, threadId, replyToId, mentions } = body;
  const said: EntryBody = {
    content,
    ...(threadId !== undefined && { threadId }),
    ...(replyToId !== undefined && { replyToId }),
    ...(mentions !== undefined && { mentions }),
  };
  const draft = {
    conversationId,
    clientKey: clientMessageId,
    body: JSON.stringify(said),
    authorize: (membership: Membership) => mayRefer(said, membership, conversationId, principal, services),
  };
  const { id, seq, sentAtMs } = await append(draft, principal, services);
  return { conversationId, id, seq, sentAtMs };
};

/** A message refers only to messages of its own conversation, and mentions only its members. */
async function mayRefer(
  { threadId, replyToId, mentions }: EntryBody,
  { roster }: Membership,
  conversationId: string,
  principal: Principal,
  { log, directory }: Services,
): Promise<void> {
  const conversation = conversationKey(principal, conversationId);
  for (const [field, id] of Object.entries({ threadId, replyToId })) {
    if (id === undefined) continue;
    const row = await log.get(conversation, id);
    if (row?.kind !== 'message')
      throw new ProtocolError('NOT_FOUND', `${field} names no message of this conversation.`);
  }
  const isMember = async (userId: string): Promise<boolean> =>
    roster
      ? roster.some((member) => member.userId === userId)
      : (await directory.membership(conversation, userId)) !== undefined;
  const mentioned = await Promise.all((mentions ?? []).map(isMember));
  if (mentioned.includes(false)) throw new ProtocolError('VALIDATION_FAILED', 'mentions must name members only.');
}
