import { LIMITS } from '@parley/protocol';
import type { RosterMember } from '../ports/directory/port.ts';
import { splitKey, userKey, type ConversationKey, type UserKey } from '../runtime/keys.ts';
import type { Services } from '../runtime/services.ts';
import type { Target } from './post.ts';

/** Every member of a conversation, read consistently. */
export async function membersOf(conversation: ConversationKey, { directory }: Services): Promise<RosterMember[]> {
  const members: RosterMember[] = [];
  let after: string | undefined;
  do {
    const page = await directory.members(conversation, after, LIMITS.memberPageMax);
    members.push(...page.items);
    after = page.next;
  } while (after !== undefined && members.length < LIMITS.groupMembersMax);
  return members;
}

/** The users of a conversation's workspace. */
export function usersOf(conversation: ConversationKey, userIds: readonly string[]): UserKey[] {
  const workspace = splitKey(conversation);
  return userIds.map((userId) => userKey(workspace, userId));
}

/** The connections of those users who have any. */
export async function targetsOf(users: readonly UserKey[], { directory }: Services): Promise<Map<UserKey, Target[]>> {
  const found = await directory.connectionsOf(users);
  const targets = new Map<UserKey, Target[]>();
  for (const [user, connections] of found) {
    targets.set(
      user,
      connections.map(({ connectionId, connectedAtMs }) => ({ user, connectionId, connectedAtMs })),
    );
  }
  return targets;
}
