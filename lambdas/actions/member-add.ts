import { LIMITS, ProtocolError } from '@parley/protocol';
import { conversationKey, userKey } from '../runtime/keys.ts';
import type { Action } from './action.ts';
import { isMember } from './shared/membership.ts';
import { changeMembers, requireOwner } from './shared/roster-change.ts';

export const addMember: Action<'member.add'> = (body, principal, services) => {
  const { conversationId, userId } = body;
  return changeMembers(
    body,
    { type: 'add', userId, role: 'member' },
    async (membership) => {
      requireOwner(membership);
      const user = userKey(principal, userId);
      const active = await services.directory.activeUsers([user]);
      if (!active.has(user)) throw new ProtocolError('NOT_FOUND', 'userId names no user.');
      if (await isMember(conversationKey(principal, conversationId), userId, membership, services)) {
        throw new ProtocolError('CONFLICT', 'This user is a member already.');
      }
      if (membership.head.memberCount >= LIMITS.groupMembersMax) {
        throw new ProtocolError('FORBIDDEN', `A group has at most ${LIMITS.groupMembersMax} members.`);
      }
    },
    principal,
    services,
  );
};
