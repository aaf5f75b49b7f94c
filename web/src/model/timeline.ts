import type { Message } from '@parley/client';
import { startOfDay } from './time.ts';

/** Messages of one sender within this time stand together under one name. */
const GROUP_MS = 5 * 60 * 1_000;
/** Numbers in one chunk. Chunks far off the screen cost next to nothing, so a chunk is a few screens high. */
const CHUNK_SEQS = 64;

/** One line of the timeline. */
export type Row =
  | { readonly type: 'day'; readonly key: string; readonly atMs: number }
  | { readonly type: 'new'; readonly key: string }
  | {
      readonly type: 'message';
      readonly key: string;
      readonly message: Message;
      /** The first and the last of its group: they carry the name and the corner. */
      readonly isFirst: boolean;
      readonly isLast: boolean;
    };

/** Rows that are drawn together. The border between two chunks depends on seq alone, so older history does not move it. */
export interface Chunk {
  readonly key: string;
  readonly rows: readonly Row[];
}

/**
 * The lines of a timeline, oldest first: a day before its first message, the divider before the first message of others
 * after `readSeq`. Without `readSeq` there is no divider.
 */
export function chunksOf(messages: readonly Message[], readSeq?: number): Chunk[] {
  const chunks: { key: string; rows: Row[] }[] = [];
  const firstNew = messages.findIndex((message) => isNew(message, readSeq));
  const dayOf = rememberDay();
  for (const [index, message] of messages.entries()) {
    const previous = messages[index - 1];
    const next = messages[index + 1];
    const day = dayOf(message.sentAtMs);
    const isNewDay = previous === undefined || dayOf(previous.sentAtMs) !== day;
    const isLastOfDay = next === undefined || dayOf(next.sentAtMs) !== day;
    const rows = rowsFor(chunks, message);
    if (isNewDay) rows.push({ type: 'day', key: `day-${message.key}`, atMs: day });
    if (index === firstNew) rows.push({ type: 'new', key: 'new' });
    rows.push({
      type: 'message',
      key: message.key,
      message,
      isFirst: isNewDay || index === firstNew || !isTogether(previous, message),
      isLast: isLastOfDay || index + 1 === firstNew || !isTogether(message, next),
    });
  }
  return chunks;
}

/** Whether both show the same, so that the second need not be drawn. */
export function isSameRow(a: Row, b: Row): boolean {
  if (a.key !== b.key) return false;
  if (a.type !== 'message' || b.type !== 'message') return a.type === b.type;
  return a.message === b.message && a.isFirst === b.isFirst && a.isLast === b.isLast;
}

function isNew({ mine, seq }: Message, readSeq: number | undefined): boolean {
  return readSeq !== undefined && !mine && seq !== undefined && seq > readSeq;
}

/** The rows of the chunk that the message belongs to: a queued one, without a number yet, goes with what stands before it. */
function rowsFor(chunks: { key: string; rows: Row[] }[], { seq }: Message): Row[] {
  const last = chunks.at(-1);
  const key = seq === undefined ? (last?.key ?? 'chunk-0') : `chunk-${String(Math.floor(seq / CHUNK_SEQS))}`;
  if (last?.key === key) return last.rows;
  const chunk = { key, rows: [] };
  chunks.push(chunk);
  return chunk.rows;
}

function isTogether(a: Message | undefined, b: Message | undefined): boolean {
  return a !== undefined && a.senderId === b?.senderId && Math.abs(b.sentAtMs - a.sentAtMs) < GROUP_MS;
}

/** `startOfDay` that works once per day of a timeline and not once per message. */
function rememberDay(): (atMs: number) => number {
  let fromMs = Number.NaN;
  let toMs = Number.NaN;
  return (atMs) => {
    if (!(atMs >= fromMs && atMs < toMs)) {
      fromMs = startOfDay(atMs);
      toMs = new Date(fromMs).setHours(24, 0, 0, 0);
    }
    return fromMs;
  };
}
