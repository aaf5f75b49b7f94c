import type { Message } from '@parley/client';
import { chunksOf, isSameRow, type Row } from '../src/model/timeline.ts';

const NOON_MS = new Date(2026, 4, 20, 12).getTime();
const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;

function message(seq: number | undefined, senderId: string, minutes: number): Message {
  const text = `message ${String(seq ?? 'queued')}`;
  const mine = senderId === 'me';
  return {
    key: `${senderId}-${String(seq ?? minutes)}`,
    conversationId: 'c',
    ...(seq !== undefined && { seq, id: String(seq) }),
    senderId,
    mine,
    text,
    content: { type: 'text', text },
    sentAtMs: NOON_MS + minutes * MINUTE_MS,
    status: mine ? (seq === undefined ? 'queued' : 'sent') : 'received',
  };
}

const rowsOf = (messages: readonly Message[], readSeq?: number): Row[] =>
  chunksOf(messages, readSeq).flatMap(({ rows }) => rows);

/** `[` and `]` stand for the first and the last of a group. */
function sketch(rows: readonly Row[]): string {
  return rows
    .map((row) => {
      if (row.type !== 'message') return row.type;
      return `${row.isFirst ? '[' : ''}${String(row.message.seq ?? 'queued')}${row.isLast ? ']' : ''}`;
    })
    .join(' ');
}

describe('the rows of a timeline', () => {
  it('are none without messages', () => {
    expect(chunksOf([], 0)).toEqual([]);
  });

  it('put messages of one sender together, until another speaks or time passes', () => {
    const messages = [
      message(1, 'a', 0),
      message(2, 'a', 1),
      message(3, 'b', 2),
      message(4, 'b', 20),
      message(5, 'b', 21),
    ];
    expect(sketch(rowsOf(messages))).toBe('day [1 2] [3] [4 5]');
  });

  it('begin a day before its first message', () => {
    const midnight = 12 * 60;
    const messages = [message(1, 'a', midnight - 1), message(2, 'a', midnight), message(3, 'a', midnight + 1)];
    const rows = rowsOf(messages);
    expect(sketch(rows)).toBe('day [1] day [2 3]');
    expect(rows.flatMap((row) => (row.type === 'day' ? [row.atMs] : []))).toEqual([
      new Date(2026, 4, 20).getTime(),
      new Date(2026, 4, 21).getTime(),
    ]);
  });

  it('divide what is new from what was read, once', () => {
    const messages = [message(1, 'a', 0), message(2, 'a', 1), message(3, 'a', 1), message(4, 'a', 2)];
    expect(sketch(rowsOf(messages, 2))).toBe('day [1 2] new [3 4]');
    expect(sketch(rowsOf(messages, 4))).toBe('day [1 2 3 4]');
    expect(sketch(rowsOf(messages))).toBe('day [1 2 3 4]');
  });

  it('do not count own messages as new', () => {
    const messages = [message(1, 'a', 0), message(2, 'me', 1), message(3, 'a', 2), message(undefined, 'me', 3)];
    expect(sketch(rowsOf(messages, 1))).toBe('day [1] [2] new [3] [queued]');
  });

  it('have keys of their own, even when clocks go back', () => {
    const messages = [message(1, 'a', 0), message(2, 'b', -DAY_MS / MINUTE_MS), message(3, 'a', 0)];
    const keys = rowsOf(messages, 0).map(({ key }) => key);
    expect(new Set(keys).size).toBe(keys.length);
    expect(keys).toHaveLength(7);
  });
});

describe('chunks', () => {
  const many = (from: number, to: number): Message[] =>
    Array.from({ length: to - from + 1 }, (_, index) => message(from + index, 'a', from + index));

  it('hold every row once, in order', () => {
    const seqs = chunksOf(many(1, 500)).flatMap(({ rows }) =>
      rows.flatMap((row) => (row.type === 'message' ? [row.message.seq] : [])),
    );
    expect(seqs).toEqual(many(1, 500).map(({ seq }) => seq));
  });

  it('do not move when older history is put in above', () => {
    const before = chunksOf(many(300, 400));
    const after = chunksOf(many(100, 400));
    const key = before[1]?.key;
    expect(key).toBeDefined();
    const [a, b] = [before, after].map((chunks) => chunks.find((chunk) => chunk.key === key));
    expect(b?.rows.map((row) => row.key)).toEqual(a?.rows.map((row) => row.key));
  });

  it('keep a queued message with what stands before it', () => {
    expect(chunksOf([message(undefined, 'me', 0)])).toHaveLength(1);
    const chunks = chunksOf([...many(60, 70), message(undefined, 'me', 80)]);
    expect(chunks.map(({ rows }) => sketch(rows).endsWith('[queued]'))).toEqual([false, true]);
  });
});

it('takes a row for the same only when it shows the same', () => {
  const one = message(1, 'me', 0);
  const row: Row = { type: 'message', key: one.key, message: one, isFirst: true, isLast: true };
  expect(isSameRow(row, { ...row })).toBe(true);
  expect(isSameRow(row, { ...row, isLast: false })).toBe(false);
  expect(isSameRow(row, { ...row, message: { ...one, status: 'read' } })).toBe(false);
  expect(isSameRow(row, { type: 'new', key: one.key })).toBe(false);
});
