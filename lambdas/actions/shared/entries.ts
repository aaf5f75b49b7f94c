import { utf8Bytes, type Entry, type MessageEntry } from '@parley/protocol';
import type { LogRow } from '../../ports/message-log/port.ts';
import { splitKey } from '../../runtime/keys.ts';

/** What of an entry stands in the row's body: all that is not a column. */
export type EntryBody = Pick<MessageEntry, 'content' | 'threadId' | 'replyToId' | 'mentions'>;

/** A row as a member sees it. */
export function toEntry(row: LogRow): Entry {
  const { id, seq, senderId, clientMessageId, sentAtMs, body } = row;
  const conversationId = splitKey(row.conversation).id;
  if (row.kind === 'void' || senderId === undefined || clientMessageId === undefined || body === undefined) {
    return { conversationId, id, seq, kind: 'void' };
  }
  const rest = JSON.parse(body) as EntryBody;
  return { conversationId, id, seq, kind: 'message', senderId, sentAtMs, clientMessageId, ...rest };
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
