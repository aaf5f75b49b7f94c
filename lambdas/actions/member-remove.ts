import { ProtocolError } from '@parley/protocol';
import { conversationKey } from '../runtime/keys.ts';
import type { Action } from './action.ts';
import { isMember } from './shared/membership.ts';
import { changeMembers, requireOwner } from './shared/roster-change.ts';

export const removeMember: Action<'member.remove'> = (body, principal, services) => {
  const { conversationId, userId } = body;
  return changeMembers(
    body,
    { type: 'remove', userId },
    async (membership) => {
      requireOwner(membership);
      if (userId === principal.userId) {
        throw new ProtocolError('CONFLICT', 'The owner cannot be removed; conversation.leave hands the group on.');
      }
      if (!(await isMember(conversationKey(principal, conversationId), userId, membership, services))) {
        throw new ProtocolError('NOT_FOUND', 'userId names no member.');
      }
    },
    principal,
    services,
  );
};
