import { ProtocolError, type EntryId } from '@parley/protocol';
import type { Membership } from '../../ports/directory/port.ts';
import type { LogRow } from '../../ports/message-log/port.ts';
import { conversationKey, type Principal } from '../../runtime/keys.ts';
import type { Services } from '../../runtime/services.ts';

/**
 * The message that a member refers to.
 * @throws {ProtocolError} NOT_FOUND: no message, one of another conversation, a deleted one, and one from before the member joined alike.
 */
export async function requireMessage(
  field: string,
  id: EntryId,
  conversationId: string,
  { me }: Membership,
  principal: Principal,
  { log }: Services,
): Promise<LogRow> {
  const row = await log.get(conversationKey(principal, conversationId), id);
  if (row?.kind === 'message' && row.seq > me.joinedSeq) return row;
  throw new ProtocolError('NOT_FOUND', `${field} names no message of this conversation.`);
}
