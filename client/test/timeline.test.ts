import { makeId, type Entry } from '@parley/protocol';
import fc from 'fast-check';
import { Timeline } from '../src/timeline.ts';

function entryAt(seq: number, kind: 'message' | 'void' = 'message'): Entry {
  const placed = { conversationId: 'c', id: makeId(1_700_000_000_000 + seq, 0), seq };
  if (kind === 'void') return { ...placed, kind };
  const clientMessageId = `00000000-0000-4000-8000-${String(seq).padStart(12, '0')}`;
  return {
    ...placed,
    kind,
    senderId: 'ana',
    sentAtMs: seq,
    clientMessageId,
    content: { type: 'text', text: `${seq}` },
  };
}

const seqsOf = (entries: readonly Entry[]): number[] => entries.map(({ seq }) => seq);
const upTo = (count: number): number[] => Array.from({ length: count }, (_, i) => i + 1);

/** A log, and its live events as a network may hand them over: some lost, some twice, in any order. */
const deliveries = fc
  .array(fc.constantFrom('message' as const, 'message' as const, 'void' as const), { minLength: 1, maxLength: 40 })
  .chain((kinds) => {
    const log = kinds.map((kind, i) => entryAt(i + 1, kind));
    const events = fc.array(fc.constantFrom(...log), { maxLength: 80 });
    return fc.record({ log: fc.constant(log), events, page: fc.integer({ min: 1, max: 7 }) });
  });

/** Asks a whole log page by page, as `log.sync` answers. */
function syncAll(timeline: Timeline, log: readonly Entry[], page: number): Entry[] {
  const shown: Entry[] = [];
  for (let rounds = 0; timeline.held < log.length; rounds++) {
    if (rounds > log.length) throw new Error('The cursor does not move.');
    const { cursor } = timeline;
    const entries = log.slice(cursor.seq, cursor.seq + page);
    const completeToSeq = cursor.seq + entries.length;
    shown.push(...timeline.insert(entries, { afterSeq: cursor.seq, completeToSeq }).shown);
  }
  return shown;
}

describe('a strict timeline', () => {
  it('shows the log, whole, in order and each entry once, whatever happened to the live events', () => {
    fc.assert(
      fc.property(deliveries, ({ log, events, page }) => {
        const timeline = new Timeline(1, 1, 1, true);
        const shown: number[] = [];
        for (const event of events) {
          shown.push(...seqsOf(timeline.insert([event]).shown));
          expect(shown).toEqual(upTo(shown.length));
          expect(seqsOf(timeline.visible())).toEqual(shown);
        }
        shown.push(...seqsOf(syncAll(timeline, log, page)));
        expect(shown).toEqual(upTo(log.length));
        expect(timeline.visible()).toEqual(log);
        expect(timeline.cursor).toEqual({ seq: log.length, id: log.at(-1)!.id });
      }),
    );
  });
});

describe('a timeline that is not strict', () => {
  it('shows each entry at once and once, placed by seq', () => {
    fc.assert(
      fc.property(deliveries, ({ log, events, page }) => {
        const timeline = new Timeline(1, 1, 1, false);
        const shown: number[] = [];
        for (const event of events) {
          shown.push(...seqsOf(timeline.insert([event]).shown));
          expect(shown).toContain(event.seq);
          expect(seqsOf(timeline.visible())).toEqual([...shown].sort((a, b) => a - b));
        }
        shown.push(...seqsOf(syncAll(timeline, log, page)));
        expect([...shown].sort((a, b) => a - b)).toEqual(upTo(log.length));
      }),
    );
  });
});

describe('the cursor', () => {
  it('stays at the last entry before a gap', () => {
    const timeline = new Timeline(1, 1, 1, true);
    timeline.insert([entryAt(1), entryAt(2), entryAt(4)]);
    expect(timeline.cursor).toEqual({ seq: 2, id: entryAt(2).id });
    expect(timeline.behind).toBe(true);
  });

  it('names an entry that is held, also when the server says that the numbers after it hold nothing', () => {
    const timeline = new Timeline(1, 1, 1, true);
    timeline.insert([entryAt(1), entryAt(2)], { afterSeq: 0, completeToSeq: 5 });
    expect(timeline.held).toBe(5);
    expect(timeline.cursor).toEqual({ seq: 2, id: entryAt(2).id });
  });

  it('does not believe an answer that begins beyond a gap', () => {
    const timeline = new Timeline(1, 1, 1, true);
    timeline.insert([entryAt(1)]);
    timeline.insert([entryAt(4)], { afterSeq: 3, completeToSeq: 4 });
    expect(timeline.held).toBe(1);
  });
});

describe('an entry below the cursor', () => {
  it('is shown when it is not held itself', () => {
    const timeline = new Timeline(1, 1, 1, true);
    timeline.insert([entryAt(1), entryAt(3)], { afterSeq: 0, completeToSeq: 3 });
    expect(seqsOf(timeline.insert([entryAt(2)]).shown)).toEqual([2]);
    expect(seqsOf(timeline.visible())).toEqual([1, 2, 3]);
  });

  it('is reported when another one holds its number', () => {
    const timeline = new Timeline(1, 1, 1, true);
    timeline.insert([entryAt(1)]);
    expect(timeline.insert([entryAt(1)]).conflict).toBe(false);
    expect(timeline.insert([{ ...entryAt(1), id: '7' }]).conflict).toBe(true);
  });
});

describe('history', () => {
  it('is shown from the page on that was fetched, down to the first entry', () => {
    const timeline = new Timeline(1, 5, undefined, true);
    timeline.insert([entryAt(5), entryAt(6)]);
    expect(timeline.hasOlder).toBe(true);
    timeline.prepend([entryAt(4), entryAt(3)], false);
    expect(seqsOf(timeline.visible())).toEqual([3, 4, 5, 6]);
    timeline.prepend([entryAt(2), entryAt(1)], true);
    expect(timeline.hasOlder).toBe(false);
    expect(timeline.oldestId).toBe(entryAt(1).id);
  });

  it('is not forgotten beyond a gap, which nothing would close any more', () => {
    const timeline = new Timeline(1, 1, 1, true);
    timeline.insert([1, 2, 5, 6, 7, 8].map((seq) => entryAt(seq)));
    timeline.trim(3);
    expect(timeline.cursor.seq).toBe(2);
    timeline.insert([entryAt(3), entryAt(4)]);
    expect(seqsOf(timeline.visible())).toEqual(upTo(8));
    timeline.trim(3);
    expect(seqsOf(timeline.visible())).toEqual([6, 7, 8]);
  });

  it('can be fetched again after it was forgotten', () => {
    const timeline = new Timeline(1, 1, 1, true);
    timeline.insert(upTo(10).map((seq) => entryAt(seq)));
    timeline.trim(4);
    expect(seqsOf(timeline.visible())).toEqual([7, 8, 9, 10]);
    expect(timeline.hasOlder).toBe(true);
    timeline.prepend(
      [6, 5, 4, 3, 2, 1].map((seq) => entryAt(seq)),
      true,
    );
    expect(timeline.visible()).toHaveLength(10);
  });
});

describe('edits and deletes', () => {
  /** A log in which later entries edit and delete earlier messages, and the order in which a client comes to know it. */
  const histories = fc
    .array(fc.record({ kind: fc.constantFrom('message', 'message', 'edit', 'delete'), of: fc.nat(20) }), {
      minLength: 2,
      maxLength: 30,
    })
    .chain((steps) => {
      const log: Entry[] = [];
      for (const [i, { kind, of }] of steps.entries()) {
        const said = log.filter((entry) => entry.kind === 'message');
        const target = said[of % Math.max(1, said.length)];
        const entry = entryAt(i + 1) as Entry & { kind: 'message' };
        const { clientMessageId: _, content, ...written } = entry;
        if (kind === 'message' || !target) log.push(entry);
        else if (kind === 'edit') log.push({ ...written, kind, targetId: target.id, content });
        else log.push({ ...written, kind: 'delete', targetId: target.id });
      }
      const order = fc.shuffledSubarray(log, { minLength: log.length });
      return fc.record({ log: fc.constant(log), order, page: fc.integer({ min: 1, max: 5 }) });
    });

  it('end in the same whatever the order in which they come: the latest text, and nothing of what was deleted', () => {
    let deletes = 0;
    fc.assert(
      fc.property(histories, ({ log, order, page }) => {
        const timeline = new Timeline(1, 1, 1, true);
        const held = new Map<number, Entry>();
        for (let at = 0; at < order.length; at += page) {
          const { added, blanked } = timeline.insert(order.slice(at, at + page));
          // What a storage holds by then.
          for (const entry of [...added, ...blanked]) held.set(entry.seq, entry);
        }
        expect([...held.values()].sort((a, b) => a.seq - b.seq)).toEqual(timeline.visible());
        const deleted = new Set(log.flatMap((entry) => (entry.kind === 'delete' ? [entry.targetId] : [])));
        deletes += deleted.size;
        for (const [i, shown] of timeline.visible().entries()) {
          const entry = log[i]!;
          const isGone = deleted.has(entry.kind === 'edit' ? entry.targetId : entry.id);
          if (entry.kind === 'message') expect(shown.kind).toBe(isGone ? 'deleted' : 'message');
          if (entry.kind === 'edit') expect(shown.kind).toBe(isGone ? 'void' : 'edit');
          if (isGone) expect(shown).not.toHaveProperty('content');
          const edits = log.filter((one) => one.kind === 'edit' && one.targetId === entry.id);
          if (entry.kind === 'message') expect(timeline.editOf(entry.id)).toBe(isGone ? undefined : edits.at(-1));
        }
      }),
    );
    expect(deletes).toBeGreaterThan(50);
  });

  it('are known of a message that is fetched later', () => {
    const [first, second] = [entryAt(1), entryAt(2)] as (Entry & { kind: 'message' })[];
    const { conversationId, senderId, sentAtMs } = first!;
    const later = (seq: number) => ({ conversationId, senderId, sentAtMs, id: entryAt(seq).id, seq });
    const timeline = new Timeline(1, 3, undefined, true);
    const edit: Entry = { ...later(3), kind: 'edit', targetId: first!.id, content: { type: 'text', text: 'new' } };
    timeline.insert([edit, { ...later(4), kind: 'delete', targetId: second!.id }]);
    timeline.prepend([second!, first!], true);
    expect(timeline.visible().map(({ kind }) => kind)).toEqual(['message', 'deleted', 'edit', 'delete']);
    expect(timeline.editOf(first!.id)).toBe(edit);
  });
});
