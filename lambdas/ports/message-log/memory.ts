import { compareIds, type EntryId } from '@parley/protocol';
import type { ConversationKey } from '../../runtime/keys.ts';
import type { Insertion, LogRow, MessageLog, Place } from './port.ts';

/** A log in this process: for `npm start` and for tests. Gone when the process ends. */
export class MemoryMessageLog implements MessageLog {
  /** Per conversation, oldest first. */
  private readonly rows = new Map<ConversationKey, LogRow[]>();

  constructor(private readonly now: () => number = Date.now) {}

  insertIfAbsent(row: LogRow): Promise<Insertion> {
    let rows = this.rows.get(row.conversation);
    if (!rows) this.rows.set(row.conversation, (rows = []));
    const at = firstAtOrAfter(rows, row.id);
    const existing = rows[at];
    if (existing?.id === row.id) return Promise.resolve({ applied: false, existing });
    rows.splice(at, 0, row);
    return Promise.resolve({ applied: true });
  }

  addEdit(conversation: ConversationKey, targetId: EntryId, edit: Place): Promise<boolean> {
    const target = this.find(conversation, targetId);
    if (target?.kind !== 'message') return Promise.resolve(false);
    const others = (target.edits ?? []).filter(({ id }) => id !== edit.id);
    const edits = [...others, edit].sort((a, b) => compareIds(a.id, b.id));
    this.replace({ ...target, edits });
    return Promise.resolve(true);
  }

  blank(conversation: ConversationKey, id: EntryId): Promise<LogRow | undefined> {
    const row = this.find(conversation, id);
    if (row?.kind !== 'message' && row?.kind !== 'edit') return Promise.resolve(row);
    const { body: _, ...rest } = row;
    const blanked = { ...rest, kind: 'deleted' } as const;
    this.replace(blanked);
    return Promise.resolve(blanked);
  }

  get(conversation: ConversationKey, id: EntryId): Promise<LogRow | undefined> {
    return Promise.resolve(this.find(conversation, id));
  }

  after(conversation: ConversationKey, after: EntryId, limit: number): Promise<LogRow[]> {
    const found: LogRow[] = [];
    const rows = this.rows.get(conversation) ?? [];
    for (let i = firstAtOrAfter(rows, after); i < rows.length && found.length < limit; i++) {
      const row = rows[i];
      if (row && row.id !== after && this.isLive(row)) found.push(row);
    }
    return Promise.resolve(found);
  }

  before(conversation: ConversationKey, before: EntryId | undefined, limit: number): Promise<LogRow[]> {
    const found: LogRow[] = [];
    const rows = this.rows.get(conversation) ?? [];
    const end = before === undefined ? rows.length : firstAtOrAfter(rows, before);
    for (let i = end - 1; i >= 0 && found.length < limit; i--) {
      const row = rows[i];
      if (row && this.isLive(row)) found.push(row);
    }
    return Promise.resolve(found);
  }

  private find(conversation: ConversationKey, id: EntryId): LogRow | undefined {
    const rows = this.rows.get(conversation) ?? [];
    const row = rows[firstAtOrAfter(rows, id)];
    return row?.id === id && this.isLive(row) ? row : undefined;
  }

  private replace(row: LogRow): void {
    const rows = this.rows.get(row.conversation) ?? [];
    rows[firstAtOrAfter(rows, row.id)] = row;
  }

  private isLive(row: LogRow): boolean {
    return row.expiresAtMs > this.now();
  }
}

/** The index of the first row whose id is not below `id`. */
function firstAtOrAfter(rows: readonly LogRow[], id: EntryId): number {
  let low = 0;
  let high = rows.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (compareIds(rows[middle]?.id ?? '0', id) < 0) low = middle + 1;
    else high = middle;
  }
  return low;
}
