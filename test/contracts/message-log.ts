import { compareIds } from '@parley/protocol';
import type { LogRow, MessageLog } from '../../lambdas/ports/message-log/port.ts';
import { conversationKey, type ConversationKey } from '../../lambdas/runtime/keys.ts';
import { opened, times, TTL_MS, unique, type ContractOptions, type Opened } from './contract.ts';

const LONG_MS = 3_600_000;

/** One suite for every `MessageLog`. */
export function describeMessageLog(
  name: string,
  open: () => Promise<Opened<MessageLog>>,
  { exactTime }: ContractOptions,
): void {
  describe(`${name} keeps the MessageLog contract`, () => {
    const at = opened(open);
    let conversation: ConversationKey;

    beforeEach(() => {
      conversation = conversationKey({ workspaceId: unique('w') }, unique('c'));
    });

    const rowOf = (id: string, seq: number, more: Partial<LogRow> = {}): LogRow => ({
      conversation,
      id,
      seq,
      kind: 'message',
      senderId: 'ana',
      deviceId: 'phone',
      clientMessageId: '00000000-0000-4000-8000-000000000000',
      body: '{"content":{"type":"text","text":"hello"}}',
      sentAtMs: at.clock.now(),
      expiresAtMs: at.clock.now() + LONG_MS,
      ...more,
    });
    const voidOf = (id: string, seq: number): LogRow => {
      const sentAtMs = at.clock.now();
      return { conversation, id, seq, kind: 'void', sentAtMs, expiresAtMs: sentAtMs + LONG_MS };
    };
    /** Ids around 2^53 and up to 2^63 - 1, where numbers of JavaScript and orders of text both fail. */
    const IDS = [
      '9',
      '10',
      '99',
      '100',
      '9007199254740992',
      '9007199254740993',
      '9223372036854775806',
      '9223372036854775807',
    ];
    const fill = async (ids: readonly string[]): Promise<LogRow[]> => {
      const rows = ids.map((id, i) => rowOf(id, i + 1));
      for (const row of [...rows].reverse()) expect(await at.port.insertIfAbsent(row)).toEqual({ applied: true });
      return rows;
    };

    it('stores every column as it was given', async () => {
      const text = JSON.stringify({
        content: { type: 'text', text: 'e\u0301\u{1F469}\u200d\u{1F4BB}\ud7ff\u0001"\\\ufeff' },
      });
      const rows = [
        rowOf('5', 7, { body: text, seq: Number.MAX_SAFE_INTEGER }),
        voidOf('6', 8),
        rowOf('7', 9, { kind: 'edit', targetId: '9223372036854775807' }),
        rowOf('8', 10, { kind: 'delete', targetId: '5', body: '{}' }),
        rowOf('9', 11, { kind: 'member' }),
      ];
      for (const row of rows) {
        expect(await at.port.insertIfAbsent(row)).toEqual({ applied: true });
        expect(await at.port.get(conversation, row.id)).toEqual(row);
      }
      expect(await at.port.after(conversation, '0', 10)).toEqual(rows);
      expect(await at.port.before(conversation, undefined, 10)).toEqual([...rows].reverse());
    });

    it('stores no second row at an id: whoever comes later sees the first, whole', async () => {
      const first = rowOf('5', 1);
      await at.port.insertIfAbsent(first);
      for (const later of [rowOf('5', 2, { body: '{}', senderId: 'ben' }), voidOf('5', 1), first]) {
        expect(await at.port.insertIfAbsent(later)).toEqual({ applied: false, existing: first });
      }
      expect(await at.port.get(conversation, '5')).toEqual(first);
    });

    it('lets a void row stand in the way like any other', async () => {
      const standing = voidOf('5', 1);
      await at.port.insertIfAbsent(standing);
      expect(await at.port.insertIfAbsent(rowOf('5', 1))).toEqual({ applied: false, existing: standing });
    });

    it('applies just one of 50 attempts on one id at the same moment, and all others see that one', async () => {
      const attempts = times(50, (i) => (i % 5 === 4 ? voidOf('5', 1) : rowOf('5', 1, { senderId: `sender${i}` })));
      const outcomes = await Promise.all(attempts.map((row) => at.port.insertIfAbsent(row)));
      const winners = attempts.filter((_, i) => outcomes[i]?.applied);
      expect(winners).toHaveLength(1);
      for (const outcome of outcomes) if (!outcome.applied) expect(outcome.existing).toEqual(winners[0]);
      expect(await at.port.get(conversation, '5')).toEqual(winners[0]);
      expect(await at.port.after(conversation, '0', 10)).toEqual(winners);
    });

    it('keeps everything of many inserts at different ids at the same moment', async () => {
      const rows = times(50, (i) => rowOf(String(1_000 + i), i + 1));
      expect(await Promise.all(rows.map((row) => at.port.insertIfAbsent(row)))).toEqual(
        rows.map(() => ({ applied: true })),
      );
      expect(await at.port.after(conversation, '0', 100)).toEqual(rows);
    });

    it('knows nothing of a conversation that was never written to', async () => {
      expect(await at.port.get(conversation, '5')).toBeUndefined();
      expect(await at.port.after(conversation, '0', 10)).toEqual([]);
      expect(await at.port.before(conversation, undefined, 10)).toEqual([]);
    });

    it('orders by the id as a number, and finds by it exactly', async () => {
      const rows = await fill(IDS);
      expect(rows.map(({ id }) => id)).toEqual([...IDS].sort(compareIds));
      expect(await at.port.after(conversation, '0', 10)).toEqual(rows);
      expect(await at.port.before(conversation, undefined, 10)).toEqual([...rows].reverse());
      for (const row of rows) expect(await at.port.get(conversation, row.id)).toEqual(row);
      expect(await at.port.get(conversation, '9007199254740994')).toBeUndefined();
    });

    it('leaves out the row at the bound itself, whether it exists or not', async () => {
      const rows = await fill(['10', '20', '30']);
      expect(await at.port.after(conversation, '20', 10)).toEqual([rows[2]]);
      expect(await at.port.after(conversation, '19', 10)).toEqual([rows[1], rows[2]]);
      expect(await at.port.after(conversation, '30', 10)).toEqual([]);
      expect(await at.port.before(conversation, '20', 10)).toEqual([rows[0]]);
      expect(await at.port.before(conversation, '21', 10)).toEqual([rows[1], rows[0]]);
      expect(await at.port.before(conversation, '10', 10)).toEqual([]);
    });

    it('pages forwards and backwards without meeting a row twice, and without a hole', async () => {
      const rows = await fill(times(53, (i) => String(9_007_199_254_740_980n + BigInt(i))));
      for (const limit of [1, 7, 53, 500]) {
        const forwards: LogRow[] = [];
        for (let page = await at.port.after(conversation, '0', limit); page.length > 0;) {
          expect(page.length).toBeLessThanOrEqual(limit);
          forwards.push(...page);
          page = await at.port.after(conversation, page.at(-1)!.id, limit);
        }
        const backwards: LogRow[] = [];
        for (let page = await at.port.before(conversation, undefined, limit); page.length > 0;) {
          expect(page.length).toBeLessThanOrEqual(limit);
          backwards.push(...page);
          page = await at.port.before(conversation, page.at(-1)!.id, limit);
        }
        expect(forwards).toEqual(rows);
        expect(backwards).toEqual([...rows].reverse());
      }
    });

    it('gives the nearest rows when there are more than the limit', async () => {
      const rows = await fill(['10', '20', '30', '40']);
      expect(await at.port.after(conversation, '10', 2)).toEqual([rows[1], rows[2]]);
      expect(await at.port.before(conversation, '40', 2)).toEqual([rows[2], rows[1]]);
    });

    it('never mixes two conversations, nor two workspaces with the same conversation', async () => {
      const [workspace, id] = conversation.split('/') as [string, string];
      const others = [
        conversationKey({ workspaceId: unique('w') }, id),
        conversationKey({ workspaceId: workspace }, unique('c')),
      ];
      const rows = [conversation, ...others].map((key, i) => rowOf('5', i + 1, { conversation: key }));
      for (const row of rows) expect(await at.port.insertIfAbsent(row)).toEqual({ applied: true });
      for (const row of rows) {
        expect(await at.port.get(row.conversation, '5')).toEqual(row);
        expect(await at.port.after(row.conversation, '0', 10)).toEqual([row]);
        expect(await at.port.before(row.conversation, undefined, 10)).toEqual([row]);
      }
    });

    it('notes where the edits of a message stand, each once, and changes nothing else of it', async () => {
      const message = rowOf('9007199254740993', 1);
      await at.port.insertIfAbsent(message);
      const edits = [
        { id: '9007199254740995', seq: Number.MAX_SAFE_INTEGER },
        { id: '9223372036854775807', seq: 7 },
      ];
      for (const edit of [...edits, ...edits]) {
        expect(await at.port.addEdit(conversation, message.id, edit)).toBe(true);
      }
      expect(await at.port.get(conversation, message.id)).toEqual({ ...message, edits });
      expect(await at.port.after(conversation, '0', 10)).toEqual([{ ...message, edits }]);
      expect(await at.port.insertIfAbsent(message)).toEqual({ applied: false, existing: { ...message, edits } });
    });

    it('notes no edit where no message stands, and makes no row by it', async () => {
      const rows = [
        voidOf('5', 1),
        rowOf('6', 2, { kind: 'edit', targetId: '1' }),
        rowOf('7', 3, { kind: 'delete', targetId: '1' }),
        rowOf('8', 4, { kind: 'member' }),
      ];
      for (const row of rows) await at.port.insertIfAbsent(row);
      for (const id of ['4', '5', '6', '7', '8']) {
        expect(await at.port.addEdit(conversation, id, { id: '9', seq: 9 })).toBe(false);
      }
      expect(await at.port.after(conversation, '0', 10)).toEqual(rows);
    });

    it('blanks a message and an edit for good: no body is left, none comes back, and the place stays', async () => {
      const message = rowOf('5', 1);
      const edit = rowOf('6', 2, { kind: 'edit', targetId: '5' });
      for (const row of [message, edit]) await at.port.insertIfAbsent(row);
      await at.port.addEdit(conversation, '5', { id: '6', seq: 2 });
      const blanked = [message, edit].map(({ body: _, ...row }) => ({ ...row, kind: 'deleted' }));
      const expected = [{ ...blanked[0], edits: [{ id: '6', seq: 2 }] }, blanked[1]];
      for (let i = 0; i < 2; i++) {
        expect(await at.port.blank(conversation, '5')).toEqual(expected[0]);
        expect(await at.port.blank(conversation, '6')).toEqual(expected[1]);
      }
      expect(await at.port.addEdit(conversation, '5', { id: '7', seq: 3 })).toBe(false);
      for (const [i, row] of [message, edit].entries()) {
        expect(await at.port.insertIfAbsent(row)).toEqual({ applied: false, existing: expected[i] });
      }
      expect(await at.port.after(conversation, '0', 10)).toEqual(expected);
    });

    it('blanks nothing else, and makes no row by it', async () => {
      const rows = [
        voidOf('5', 1),
        rowOf('6', 2, { kind: 'delete', targetId: '1' }),
        rowOf('7', 3, { kind: 'member', body: '{"userId":"ben"}' }),
      ];
      for (const row of rows) await at.port.insertIfAbsent(row);
      expect(await at.port.blank(conversation, '4')).toBeUndefined();
      for (const row of rows) expect(await at.port.blank(conversation, row.id)).toEqual(row);
      expect(await at.port.after(conversation, '0', 10)).toEqual(rows);
    });

    it('lets no edit slip past a delete at the same moment: each is noted before, or refused', async () => {
      await at.port.insertIfAbsent(rowOf('5', 1));
      const edits = times(20, (i) => ({ id: String(100 + i), seq: 2 + i }));
      const [blanked, ...noted] = await Promise.all([
        at.port.blank(conversation, '5'),
        ...edits.map((edit) => at.port.addEdit(conversation, '5', edit)),
      ]);
      expect(blanked?.edits ?? []).toEqual(edits.filter((_, i) => noted[i]));
      expect(await at.port.get(conversation, '5')).toEqual(blanked);
    });

    it('never brings back by a rewrite what has ended, nor lets it end later', async () => {
      const ends = at.clock.now() + TTL_MS;
      const rows = [rowOf('5', 1, { expiresAtMs: ends }), rowOf('6', 2, { expiresAtMs: ends })];
      for (const row of rows) await at.port.insertIfAbsent(row);
      await at.port.addEdit(conversation, '5', { id: '9', seq: 3 });
      await at.port.blank(conversation, '6');
      expect(await at.port.after(conversation, '0', 10)).toHaveLength(2);
      await at.clock.pass(TTL_MS);
      for (const id of ['5', '6']) {
        expect(await at.port.addEdit(conversation, id, { id: '10', seq: 4 })).toBe(false);
        expect(await at.port.blank(conversation, id)).toBeUndefined();
        expect(await at.port.get(conversation, id)).toBeUndefined();
      }
      expect(await at.port.after(conversation, '0', 10)).toEqual([]);
    });

    it('never shows a row that has ended, and shows those around it', async () => {
      const ends = at.clock.now() + TTL_MS;
      const rows = [rowOf('10', 1), rowOf('20', 2, { expiresAtMs: ends }), rowOf('30', 3)];
      for (const row of rows) await at.port.insertIfAbsent(row);
      expect(await at.port.after(conversation, '0', 10)).toEqual(rows);
      await at.clock.pass(TTL_MS);
      const left = [rows[0], rows[2]];
      expect(await at.port.get(conversation, '20')).toBeUndefined();
      expect(await at.port.after(conversation, '0', 10)).toEqual(left);
      expect(await at.port.after(conversation, '0', 2)).toEqual(left);
      expect(await at.port.before(conversation, undefined, 2)).toEqual([...left].reverse());
      expect(await at.port.after(conversation, '10', 1)).toEqual([rows[2]]);
    });

    if (exactTime) {
      it('shows a row until the millisecond at which it ends', async () => {
        await at.port.insertIfAbsent(rowOf('5', 1, { expiresAtMs: at.clock.now() + TTL_MS }));
        await at.clock.pass(TTL_MS - 1);
        expect(await at.port.get(conversation, '5')).toBeDefined();
        await at.clock.pass(1);
        expect(await at.port.get(conversation, '5')).toBeUndefined();
      });
    }
  });
}
