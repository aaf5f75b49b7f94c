import type { Directory, Head, NewConversation, NumberRequest } from '../../../lambdas/ports/directory/port.ts';
import { conversationKey, userKey, type ConversationKey, type UserKey } from '../../../lambdas/runtime/keys.ts';
import { unique, type ContractClock } from '../contract.ts';

/** What the parts of the suite share: the directory, and a fresh workspace for each test. */
export interface DirectoryContext {
  readonly port: Directory;
  readonly clock: ContractClock;
}

/** A workspace that no other test uses. */
export class Workspace {
  readonly workspaceId = unique('w');

  constructor(private readonly at: DirectoryContext) {}

  user(userId: string): UserKey {
    return userKey(this, userId);
  }

  conversation(id = unique('c')): ConversationKey {
    return conversationKey(this, id);
  }

  newConversation(userIds: readonly string[], more: Partial<NewConversation> = {}): NewConversation {
    return {
      conversation: this.conversation(),
      type: 'group',
      createdAtMs: this.at.clock.now(),
      requestHash: 'hash',
      members: userIds.map((userId, i) => ({ userId, role: i === 0 ? 'owner' : 'member' })),
      ...more,
    };
  }

  /** Makes a conversation with these members. */
  async create(...userIds: string[]): Promise<ConversationKey> {
    const made = this.newConversation(userIds);
    expect(await this.at.port.createConversation(made)).toBe(true);
    return made.conversation;
  }

  async head(conversation: ConversationKey, userId: string): Promise<Head> {
    const found = await this.at.port.membership(conversation, userId);
    if (!found) throw new Error('no member');
    return found.head;
  }
}

export function numberRequest(
  conversation: ConversationKey,
  id: string,
  more: Partial<NumberRequest> = {},
): NumberRequest {
  return { conversation, id, step: 1, nonce: unique('n'), rosterVersion: 1, ...more };
}
