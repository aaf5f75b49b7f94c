/** Who sent a frame: from the verified token and the connection only, never from the frame. */
export interface Principal {
  readonly workspaceId: string;
  readonly userId: string;
  readonly deviceId: string;
  readonly connectionId: string;
  /** When the socket was opened, in ms since the Unix epoch. */
  readonly connectedAtMs: number;
  /** When the token ends, in ms since the Unix epoch. */
  readonly expiresAtMs: number;
}

/** `{workspaceId}/{userId}`. Made by `userKey` alone, so that no key can miss its workspace. */
export type UserKey = string & { readonly key: 'user' };
/** `{workspaceId}/{conversationId}`. Made by `conversationKey` alone. */
export type ConversationKey = string & { readonly key: 'conversation' };

type InWorkspace = Pick<Principal, 'workspaceId'>;

export function userKey({ workspaceId }: InWorkspace, userId: string): UserKey {
  return `${workspaceId}/${userId}` as UserKey;
}

export function conversationKey({ workspaceId }: InWorkspace, conversationId: string): ConversationKey {
  return `${workspaceId}/${conversationId}` as ConversationKey;
}

/** The two parts of a key; neither can contain the slash. */
export function splitKey(key: UserKey | ConversationKey): { workspaceId: string; id: string } {
  const slash = key.indexOf('/');
  return { workspaceId: key.slice(0, slash), id: key.slice(slash + 1) };
}
