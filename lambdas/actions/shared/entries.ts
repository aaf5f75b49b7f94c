import { utf8Bytes, type EditEntry, type Entry, type MemberEntry, type MessageEntry } from '@parley/protocol';
import type { LogRow } from '../../ports/message-log/port.ts';
import { splitKey } from '../../runtime/keys.ts';

/** What of a message stands in the row's body: all that is not a column. */
export type MessageBody = Pick<MessageEntry, 'content' | 'threadId' | 'replyToId' | 'mentions'>;
export type EditBody = Pick<EditEntry, 'content'>;
export type MemberBody = Pick<MemberEntry, 'userId' | 'change' | 'role'>;

/** A row as a member sees it. */
export function toEntry(row: LogRow): Entry {
  const { id, seq, senderId, clientMessageId, targetId, sentAtMs, body = '{}' } = row;
  const placed = { conversationId: splitKey(row.conversation).id, id, seq };
  const nothing = { ...placed, kind: 'void' } as const;
  if (senderId === undefined || clientMessageId === undefined) return nothing;
  const written = { ...placed, senderId, sentAtMs };
  switch (row.kind) {
    case 'message':
      return { ...written, kind: 'message', clientMessageId, ...(JSON.parse(body) as MessageBody) };
    case 'edit':
      if (targetId === undefined) return nothing;
      return { ...written, kind: 'edit', targetId, ...(JSON.parse(body) as EditBody) };
    case 'delete':
      return targetId === undefined ? nothing : { ...written, kind: 'delete', targetId };
    case 'member':
      return { ...written, kind: 'member', ...(JSON.parse(body) as MemberBody) };
    case 'deleted':
      // An edit of a deleted message says nothing; the message itself keeps its place.
      return targetId === undefined ? { ...written, kind: 'deleted', clientMessageId } : nothing;
    case 'void':
      return nothing;
  }
}

/** The first of `entries` that together fit into `maxBytes` as JSON; at least `atLeast` of them. */
export function fitting(entries: readonly Entry[], maxBytes: number, atLeast = 0): { entries: Entry[]; bytes: number } {
  let bytes = 0;
  let count = 0;
  for (const entry of entries) {
    const size = utf8Bytes(JSON.stringify(entry)) + 1;
    if (count >= atLeast && bytes + size > maxBytes) break;
    bytes += size;
    count++;
  }
  return { entries: entries.slice(0, count), bytes };
}
