import { randomUUID } from 'node:crypto';
import type { DedupeKey, Directory, NumberRequest } from '../../../lambdas/ports/directory/port.ts';
import { conversationKey, userKey, type ConversationKey, type UserKey } from '../../../lambdas/runtime/keys.ts';

/** A workspace of one test, and what is asked for in it. */
export class Workspace {
  readonly workspaceId = `w${randomUUID()}`;

  user(userId: string): UserKey {
    return userKey(this, userId);
  }

  conversation(id = `c${randomUUID()}`): ConversationKey {
    return conversationKey(this, id);
  }

  /** A group of `count` members, `user0` and on. */
  async group(directory: Directory, count: number, title?: string): Promise<ConversationKey> {
    const conversation = this.conversation();
    await directory.createConversation({
      conversation,
      type: 'group',
      ...(title !== undefined && { title }),
      createdAtMs: Date.now(),
      requestHash: 'hash',
      members: userIds(count).map((userId, i) => ({ userId, role: i === 0 ? 'owner' : 'member' })),
    });
    return conversation;
  }

  dedupe(conversation: ConversationKey, userId = 'user0'): DedupeKey {
    return { conversation, userId, clientKey: randomUUID() };
  }
}

export function userIds(count: number): string[] {
  return Array.from({ length: count }, (_, i) => `user${i}`);
}

export function numberRequest(
  conversation: ConversationKey,
  id: string | bigint,
  more: Partial<NumberRequest> = {},
): NumberRequest {
  return { conversation, id: String(id), step: 1, nonce: randomUUID(), rosterVersion: 1, ...more };
}
