import { createHash } from 'node:crypto';
import { splitKey, type ConversationKey, type UserKey } from '../../../runtime/keys.ts';
import type { DedupeKey } from '../port.ts';
import { text, type Item } from './values.ts';

/** Keys of the table `directory`. Every partition begins with a workspace, which comes from a token and never from a frame. */

export function headKey(conversation: ConversationKey): Item {
  return { pk: conversationPk(conversation), sk: text('HEAD') };
}

/** The members of a conversation that has at most `rosterInlineMax`: a send reads them in the same go as the head. */
export function rosterKey(conversation: ConversationKey): Item {
  return { pk: conversationPk(conversation), sk: text('ROSTER') };
}

/** The ids of a full list: those of the numbers from `base + 1` on. */
export function blockKey(conversation: ConversationKey, base: number): Item {
  return { pk: conversationPk(conversation), sk: text(`IDS#${base}`) };
}

/** Tells, while the rows of a large conversation are written one transaction after the other, whose they are. */
export function claimKey(conversation: ConversationKey): Item {
  return { pk: conversationPk(conversation), sk: text('CLAIM') };
}

export const MEMBER_PREFIX = 'M#';

/** A hash stands before the user id, so that a range of keys is a share of a large roster. */
export function memberKey(conversation: ConversationKey, userId: string): Item {
  const share = createHash('sha256').update(userId).digest('hex').slice(0, 2);
  return { pk: conversationPk(conversation), sk: text(`${MEMBER_PREFIX}${share}#${userId}`) };
}

export function memberIdOf(sk: string): string {
  return sk.slice(`${MEMBER_PREFIX}00#`.length);
}

export const CONVERSATION_PREFIX = 'C#';

/** That a user is a member of a conversation, found by the user. */
export function placeKey(user: UserKey, conversationId: string): Item {
  return { pk: userPk(user), sk: text(`${CONVERSATION_PREFIX}${conversationId}`) };
}

export const WORKSPACE_MEMBER_PREFIX = 'M#';

/** A user, as a member of its workspace. */
export function workspaceMemberKey(user: UserKey): Item {
  const { workspaceId, id } = splitKey(user);
  return { pk: workspacePk(workspaceId), sk: text(`${WORKSPACE_MEMBER_PREFIX}${id}`) };
}

export const conversationPk = (conversation: ConversationKey) => text(`C#${conversation}`);
export const userPk = (user: UserKey) => text(`U#${user}`);
export const workspacePk = (workspaceId: string) => text(`W#${workspaceId}`);

/** Key of the table `sends`. Parts are length-prefixed: no two different keys are ever written alike. */
export function sendKey({ conversation, userId, clientKey }: DedupeKey): Item {
  return { pk: text([conversation, userId, clientKey].map((part) => `${part.length}:${part}`).join('')) };
}

/** Key of the table `connections`. */
export function connectionsKey(user: UserKey): Item {
  return { userKey: text(user) };
}
