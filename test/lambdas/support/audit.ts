import { compareIds } from '@parley/protocol';
import type { LogRow } from '../../../lambdas/ports/message-log/port.ts';
import type { ConversationKey } from '../../../lambdas/runtime/keys.ts';
import type { Stage } from './stage.ts';

export interface Audit {
  readonly headSeq: number;
  readonly messages: LogRow[];
  readonly voids: number[];
  /** Numbers that were handed out and have no row. */
  readonly pending: number[];
}

/**
 * Reads a whole log beside all handlers and checks promise P3: each row has a number of its own that the head has handed out, and
 * ids rise with the numbers. At most 500 rows.
 */
export async function audit(stage: Stage, conversation: ConversationKey, memberId: string): Promise<Audit> {
  const rows = await stage.log.after(conversation, '0', 500);
  const headSeq = (await stage.directory.membership(conversation, memberId))?.head.seq ?? 0;
  const bySeq = new Map(rows.map((row) => [row.seq, row]));
  expect(bySeq.size).toBe(rows.length);
  rows.forEach((row, i) => {
    const previous = rows[i - 1];
    if (!previous) return;
    expect(row.seq).toBeGreaterThan(previous.seq);
    expect(compareIds(row.id, previous.id)).toBeGreaterThan(0);
  });
  for (const { seq } of rows) expect(seq).toBeLessThanOrEqual(headSeq);
  const numbers = Array.from({ length: headSeq }, (_, i) => i + 1);
  return {
    headSeq,
    messages: rows.filter((row) => row.kind === 'message'),
    voids: rows.filter((row) => row.kind === 'void').map((row) => row.seq),
    pending: numbers.filter((seq) => !bySeq.has(seq)),
  };
}
