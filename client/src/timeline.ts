import type { Cursor, EditEntry, Entry } from '@parley/protocol';

export interface Inserted {
  /** Entries that were not known before. */
  readonly added: readonly Entry[];
  /** Known entries that stand without their content from now on. */
  readonly blanked: readonly Entry[];
  /** Entries that became visible, in the order of seq. */
  readonly shown: readonly Entry[];
  /** Another entry stands at a seq that is taken: this log is not the server's any more. */
  readonly conflict: boolean;
}

/**
 * The part of a conversation's log that this client knows: a stretch from `floor` to `held` without a gap, and single entries
 * beyond it. An entry is dropped only when that very entry is known, whatever its seq. What a delete names is held without its content,
 * whichever of the two comes first.
 */
export class Timeline {
  /** The highest seq below which nothing is missing, counted from `floor`. */
  held: number;
  /** The highest seq that is known to exist. */
  headSeq = 0;
  private readonly bySeq = new Map<number, Entry>();
  /** All known entries in the order of seq. */
  private sorted: Entry[] = [];
  /** The latest edit of each message, by its id. */
  private readonly edits = new Map<string, EditEntry>();
  /** Ids of messages that were deleted. */
  private readonly deleted = new Set<string>();

  /**
   * @param floor where the stretch begins; nothing below it is shown.
   * @param bottom the first seq that can be had at all, once known: then there is no older history.
   */
  constructor(
    readonly epoch: number,
    public floor: number,
    public bottom: number | undefined,
    private readonly strict: boolean,
  ) {
    this.held = floor - 1;
    this.headSeq = this.held;
  }

  /** The pair that the server is asked from: the last known entry at or below `held`. */
  get cursor(): Cursor {
    const entry = this.sorted[this.indexAfter(this.held) - 1];
    return entry && entry.seq >= this.floor ? { seq: entry.seq, id: entry.id } : { seq: 0, id: '0' };
  }

  get behind(): boolean {
    return this.held < this.headSeq;
  }

  get hasOlder(): boolean {
    return this.bottom === undefined || this.floor > this.bottom;
  }

  /** What is to be shown, oldest first. */
  visible(): readonly Entry[] {
    return this.sorted.slice(this.indexAfter(this.floor - 1), this.strict ? this.indexAfter(this.held) : undefined);
  }

  /** Known entries that wait for a gap before them to close; none unless strict. */
  waiting(): readonly Entry[] {
    return this.strict ? this.sorted.slice(this.indexAfter(this.held)) : [];
  }

  /** What a page of history is asked before; undefined asks from the head. */
  get oldestId(): string | undefined {
    return this.sorted[this.indexAfter(this.floor - 1)]?.id;
  }

  /** The newest `count` known entries, oldest first. */
  newest(count: number): readonly Entry[] {
    return count > 0 ? this.sorted.slice(-count) : [];
  }

  /**
   * Takes entries in any order, from any source.
   * @param whole says that nothing is missing after `afterSeq` up to `completeToSeq` but what `entries` holds.
   */
  insert(entries: readonly Entry[], whole?: { readonly afterSeq: number; readonly completeToSeq: number }): Inserted {
    const heldBefore = this.held;
    const fresh: number[] = [];
    const blankedSeqs = new Set<number>();
    let conflict = false;
    for (const entry of entries) {
      const known = this.bySeq.get(entry.seq);
      conflict ||= known !== undefined && known.id !== entry.id;
      if (known && !(known.id === entry.id && known.kind === 'message' && entry.kind === 'deleted')) continue;
      if (!known) {
        this.put(this.deleted.has(saidIn(entry) ?? '') ? blank(entry) : entry);
        fresh.push(entry.seq);
      }
      for (const seq of this.fold(entry)) blankedSeqs.add(seq);
    }
    const added = this.at(fresh);
    const blanked = this.at([...blankedSeqs].filter((seq) => !fresh.includes(seq)));
    if (whole && whole.afterSeq <= this.held) this.held = Math.max(this.held, whole.completeToSeq);
    this.held = this.runEnd(this.held);
    this.headSeq = Math.max(this.headSeq, this.held, this.sorted.at(-1)?.seq ?? 0);
    return { added, blanked, shown: this.nowShown(added, heldBefore), conflict };
  }

  /** What a message says by now, if it was edited. */
  editOf(id: string): EditEntry | undefined {
    return this.edits.get(id);
  }

  /** Takes a page of history that ends right below `floor`; `reachesBottom` when there is nothing before it. */
  prepend(newestFirst: readonly Entry[], reachesBottom: boolean): readonly Entry[] {
    const { added } = this.insert(newestFirst);
    const oldest = newestFirst.at(-1);
    if (oldest) this.floor = Math.min(this.floor, oldest.seq);
    if (reachesBottom) this.bottom = this.floor;
    return added;
  }

  /** Whether this very entry is known. */
  has(entry: Entry): boolean {
    return this.bySeq.get(entry.seq)?.id === entry.id;
  }

  /** Where to go on asking after `cursor`: what is known right behind it needs no asking. */
  skipKnown(cursor: Cursor): Cursor {
    const end = this.bySeq.get(this.runEnd(cursor.seq));
    return end ? { seq: end.seq, id: end.id } : cursor;
  }

  /** How many numbers are missing right after `seq`, at most `max`. */
  missingAfter(seq: number, max: number): number {
    const next = this.sorted[this.indexAfter(seq)];
    return next ? Math.min(max, Math.max(1, next.seq - seq - 1)) : max;
  }

  /** Forgets all but the newest `max` entries; they can be paged in again. */
  trim(max: number): void {
    if (this.sorted.length <= max) return;
    const floor = this.sorted[this.sorted.length - max]?.seq ?? this.floor;
    if (floor > this.held) return;
    for (const entry of this.sorted.splice(0, this.sorted.length - max)) {
      this.bySeq.delete(entry.seq);
      if (entry.kind === 'edit' && this.edits.get(entry.targetId) === entry) this.edits.delete(entry.targetId);
    }
    this.floor = Math.max(this.floor, floor);
  }

  private put(entry: Entry): void {
    this.bySeq.set(entry.seq, entry);
    this.sorted.splice(this.indexAfter(entry.seq), 0, entry);
  }

  /** What an entry changes about others. Answers the numbers of those that it leaves without content. */
  private fold(entry: Entry): number[] {
    if (entry.kind === 'edit') {
      const latest = this.edits.get(entry.targetId);
      if (!this.deleted.has(entry.targetId) && (latest?.seq ?? 0) < entry.seq) this.edits.set(entry.targetId, entry);
      return [];
    }
    if (entry.kind !== 'delete' && entry.kind !== 'deleted') return [];
    const id = entry.kind === 'delete' ? entry.targetId : entry.id;
    this.deleted.add(id);
    this.edits.delete(id);
    const said = this.sorted.filter((known) => saidIn(known) === id);
    for (const known of said) this.replace(blank(known));
    return said.map(({ seq }) => seq);
  }

  private replace(entry: Entry): void {
    this.bySeq.set(entry.seq, entry);
    this.sorted[this.indexAfter(entry.seq) - 1] = entry;
  }

  private at(seqs: readonly number[]): Entry[] {
    return seqs.flatMap((seq) => this.bySeq.get(seq) ?? []);
  }

  /** The last seq of the known run that starts after `seq`. */
  private runEnd(seq: number): number {
    let end = seq;
    while (this.bySeq.has(end + 1)) end++;
    return end;
  }

  private nowShown(added: readonly Entry[], heldBefore: number): readonly Entry[] {
    const late = added.filter((entry) => entry.seq >= this.floor && (!this.strict || entry.seq <= heldBefore));
    const next = this.strict
      ? this.sorted.slice(this.indexAfter(Math.max(heldBefore, this.floor - 1)), this.indexAfter(this.held))
      : [];
    return [...late, ...next].sort((a, b) => a.seq - b.seq);
  }

  /** The index of the first known entry beyond `seq`. Most entries come at the end, so that is looked at first. */
  private indexAfter(seq: number): number {
    let low = 0;
    let high = this.sorted.length;
    if ((this.sorted[high - 1]?.seq ?? 0) <= seq) return high;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.sorted[middle]?.seq ?? 0) <= seq) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

/** The id of the message whose words an entry holds. */
function saidIn(entry: Entry): string | undefined {
  return entry.kind === 'message' ? entry.id : entry.kind === 'edit' ? entry.targetId : undefined;
}

/** The entry without its words, as the server has it after a delete. */
function blank(entry: Entry): Entry {
  const { conversationId, id, seq } = entry;
  if (entry.kind !== 'message') return { kind: 'void', conversationId, id, seq };
  const { senderId, sentAtMs, clientMessageId } = entry;
  return { kind: 'deleted', conversationId, id, seq, senderId, sentAtMs, clientMessageId };
}
