import { createHash } from 'node:crypto';
import { LIMITS, ProtocolError, type Body, type Role } from '@parley/protocol';
import { bestEffort } from '../runtime/best-effort.ts';
import { conversationKey, userKey, type ConversationKey, type Principal } from '../runtime/keys.ts';
import type { Services } from '../runtime/services.ts';
import type { Action } from './action.ts';
import { requireMembership, toConversation } from './shared/membership.ts';

/** Safe to repeat: the id follows from who the pair is, or from who asks with which key. */
export const createConversation: Action<'conversation.create'> = async (body, principal, services) => {
  const others = othersOf(body, principal);
  await requireUsers(others, principal, services);
  const conversationId = idOf(body, others, principal);
  const key = conversationKey(principal, conversationId);
  const requestHash = body.type === 'direct' ? '' : hash([body.title ?? null, ...others]);
  const role: Role = body.type === 'direct' ? 'member' : 'owner';
  const created = await services.directory.createConversation({
    conversation: key,
    type: body.type,
    ...(body.title !== undefined && { title: body.title }),
    createdAtMs: services.now(),
    requestHash,
    members: [{ userId: principal.userId, role }, ...others.map((userId) => ({ userId, role: 'member' as const }))],
  });
  const membership = await requireMembership(conversationId, principal, services);
  if (membership.head.requestHash !== requestHash) {
    throw new ProtocolError('CONFLICT', 'This clientRequestId was used for another conversation.');
  }
  const conversation = toConversation(conversationId, membership);
  if (created) await announceConversation(key, conversation, principal, services);
  return { conversation };
};

/** The members without the caller, each once, in one order whatever the caller's. */
function othersOf({ type, memberIds = [], title }: Body<'conversation.create'>, { userId }: Principal): string[] {
  const others = [...new Set(memberIds)].filter((id) => id !== userId).sort();
  if (type === 'direct' && others.length !== 1) {
    throw new ProtocolError(
      'VALIDATION_FAILED',
      'memberIds must name exactly one other user for a direct conversation.',
    );
  }
  if (type === 'direct' && title !== undefined) {
    throw new ProtocolError('VALIDATION_FAILED', 'title is for groups: a direct conversation has none.');
  }
  if (others.length >= LIMITS.groupMembersMax) {
    throw new ProtocolError(
      'VALIDATION_FAILED',
      `memberIds must not make more than ${LIMITS.groupMembersMax} members.`,
    );
  }
  return others;
}

async function requireUsers(userIds: readonly string[], principal: Principal, { directory }: Services): Promise<void> {
  const active = await directory.activeUsers(userIds.map((userId) => userKey(principal, userId)));
  if (active.size < userIds.length) throw new ProtocolError('NOT_FOUND', 'memberIds names a user that does not exist.');
}

function idOf(
  { type, clientRequestId }: Body<'conversation.create'>,
  others: readonly string[],
  { userId }: Principal,
) {
  return type === 'direct' ? `d_${hash([userId, ...others].sort())}` : `g_${hash([userId, clientRequestId])}`;
}

/** 132 bits: as good as unique. */
function hash(parts: readonly (string | null)[]): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('base64url').slice(0, 22);
}

/** Lossy: a member who misses it learns of the conversation by its first entry, or at the next `session.start`. */
async function announceConversation(
  key: ConversationKey,
  { me, ...shared }: ReturnType<typeof toConversation>,
  { connectionId: exceptConnectionId }: Principal,
  { stream }: Services,
): Promise<void> {
  await bestEffort('conversation event', undefined, () =>
    stream.publish('conversation-events', key, {
      v: 1,
      type: 'conversation',
      conversation: key,
      change: 'added',
      shared,
      exceptConnectionId,
    }),
  );
}
