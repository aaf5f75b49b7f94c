import type { Message } from '@parley/client';
import { startOfDay } from './time.ts';

/** Messages of one sender within this time stand together under one name. */
const GROUP_MS = 5 * 60 * 1_000;

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

/**
 * The lines of a timeline, oldest first: a day before its first message, the divider before the first message of others
 * after `readSeq`. Without `readSeq` there is no divider.
 */
export function rowsOf(messages: readonly Message[], readSeq?: number): Row[] {
  const rows: Row[] = [];
  let isDivided = readSeq === undefined;
  let previous: Message | undefined;
  let day = Number.NaN;
  for (const [index, message] of messages.entries()) {
    const messageDay = startOfDay(message.sentAtMs);
    if (messageDay !== day) rows.push({ type: 'day', key: `day-${message.key}`, atMs: messageDay });
    const isNew = !isDivided && !message.mine && message.seq !== undefined && message.seq > (readSeq ?? 0);
    if (isNew) rows.push({ type: 'new', key: 'new' });
    isDivided ||= isNew;
    const next = messages[index + 1];
    rows.push({
      type: 'message',
      key: message.key,
      message,
      isFirst: isNew || messageDay !== day || !isTogether(previous, message),
      isLast: !isTogether(message, next) || startsNew(next, readSeq, isDivided),
    });
    day = messageDay;
    previous = message;
  }
  return rows;
}

function startsNew(next: Message | undefined, readSeq: number | undefined, isDivided: boolean): boolean {
  return !isDivided && next?.mine === false && next.seq !== undefined && next.seq > (readSeq ?? 0);
}

function isTogether(a: Message | undefined, b: Message | undefined): boolean {
  if (a === undefined || b === undefined || a.senderId !== b.senderId) return false;
  return Math.abs(b.sentAtMs - a.sentAtMs) < GROUP_MS && startOfDay(a.sentAtMs) === startOfDay(b.sentAtMs);
}
