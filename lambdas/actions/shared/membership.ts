import { ProtocolError, type Conversation } from '@parley/protocol';
import type { Membership } from '../../ports/directory/port.ts';
import { conversationKey, type ConversationKey, type Principal } from '../../runtime/keys.ts';
import type { Services } from '../../runtime/services.ts';

/**
 * The conversation as its member sees it.
 * @throws {ProtocolError} NOT_FOUND, the same for unknown, foreign and left conversations.
 */
export async function requireMembership(
  conversationId: string,
  principal: Principal,
  { directory }: Services,
): Promise<Membership> {
  const found = await directory.membership(conversationKey(principal, conversationId), principal.userId);
  return member(found);
}

/** @throws {ProtocolError} NOT_FOUND */
export function member(found: Membership | undefined): Membership {
  if (!found) throw new ProtocolError('NOT_FOUND', 'No such conversation.');
  return found;
}

/** The wire form. */
export function toConversation(conversationId: string, { head, me, roster }: Membership): Conversation {
  const { role, joinedSeq, deliveredSeq, readSeq } = me;
  return {
    conversationId,
    type: head.type,
    ...(head.title !== undefined && { title: head.title }),
    epoch: head.epoch,
    headSeq: head.seq,
    memberCount: head.memberCount,
    ...(roster && { members: roster.map((m) => ({ userId: m.userId, role: m.role })) }),
    me: { role, joinedSeq, deliveredSeq, readSeq },
    createdAtMs: head.createdAtMs,
  };
}

/** Whether a user is a member, as one that is sees it. */
export async function isMember(
  conversation: ConversationKey,
  userId: string,
  { roster }: Membership,
  { directory }: Services,
): Promise<boolean> {
  if (roster) return roster.some((seat) => seat.userId === userId);
  return (await directory.membership(conversation, userId)) !== undefined;
}
