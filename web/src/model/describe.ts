import type { ConversationView, Message } from '@parley/client';
import { clip } from './text.ts';

const PREVIEW_MAX_CHARS = 120;
const TITLE_MEMBERS_MAX = 3;

type NameOf = (userId: string) => string;

/** The other member of a direct conversation; undefined in groups, and where the roster is not known. */
export function partnerOf({ type, members }: ConversationView, selfId: string): string | undefined {
  return type === 'direct' ? members?.find(({ userId }) => userId !== selfId)?.userId : undefined;
}

/** A group's title, or whom the conversation is with. */
export function titleOf(conversation: ConversationView, selfId: string, nameOf: NameOf): string {
  if (conversation.title !== undefined) return conversation.title;
  const others = (conversation.members ?? [])
    .filter(({ userId }) => userId !== selfId)
    .map(({ userId }) => nameOf(userId));
  if (others.length === 0) return conversation.type === 'direct' ? 'Direct chat' : 'Group';
  const named = others.slice(0, TITLE_MEMBERS_MAX).join(', ');
  const rest = conversation.memberCount - 1 - Math.min(others.length, TITLE_MEMBERS_MAX);
  return rest > 0 ? `${named} and ${String(rest)} more` : named;
}

/** Whom a group consists of, as one line. */
export function membersLine(conversation: ConversationView, selfId: string, nameOf: NameOf): string {
  const { members, memberCount } = conversation;
  if (members === undefined) return `${String(memberCount)} members`;
  const names = members.filter(({ userId }) => userId !== selfId).map(({ userId }) => nameOf(userId));
  return [...names.sort((a, b) => a.localeCompare(b)), 'you'].join(', ');
}

/** The last message as the list shows it, on one line. */
export function previewOf(message: Message, isGroup: boolean, nameOf: NameOf): string {
  const text = message.deleted ? 'Message deleted' : clip(message.text, PREVIEW_MAX_CHARS);
  if (message.mine) return `You: ${text}`;
  return isGroup ? `${nameOf(message.senderId)}: ${text}` : text;
}

/** Who types, as a sentence; empty when nobody does. */
export function typingLine(userIds: readonly string[], nameOf: NameOf): string {
  const [first, second, ...rest] = userIds;
  if (first === undefined) return '';
  if (second === undefined) return `${nameOf(first)} is typing`;
  return rest.length === 0 ? `${nameOf(first)} and ${nameOf(second)} are typing` : 'Several people are typing';
}

/** What the ticks of an own message say. */
export const STATUS_WORDS: Readonly<Record<Message['status'], string>> = {
  queued: 'Waiting to be sent',
  sent: 'Sent',
  delivered: 'Delivered',
  read: 'Read',
  failed: 'Not sent',
  received: 'Received',
};

export function plural(count: number, one: string, many = `${one}s`): string {
  return `${String(count)} ${count === 1 ? one : many}`;
}
