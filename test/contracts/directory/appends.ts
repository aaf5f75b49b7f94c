import { compareIds } from '@parley/protocol';
import type { DedupeKey, DedupeRow, NumberTaken } from '../../../lambdas/ports/directory/port.ts';
import type { ConversationKey } from '../../../lambdas/runtime/keys.ts';
import { times, unique } from '../contract.ts';
import { numberRequest, Workspace, type DirectoryContext } from './context.ts';

export function appendTests(at: DirectoryContext): void {
  let workspace: Workspace;
  let conversation: ConversationKey;

  beforeEach(async () => {
    workspace = new Workspace(at);
    conversation = await workspace.create('ana', 'ben');
  });

  const take = (id: string, more = {}) => at.port.takeNumber(numberRequest(conversation, id, more));
  const taken = (answer: NumberTaken): { seq: number; id: string } => {
    if (!answer.taken) throw new Error('no number was taken');
    return { seq: answer.seq, id: answer.id };
  };

  describe('a number', () => {
    it('is the next one, with the id that was asked for when that lies above the last', async () => {
      expect(await take('100')).toEqual({ taken: true, seq: 1, id: '100' });
      expect(await take('101')).toEqual({ taken: true, seq: 2, id: '101' });
      expect(await take('9223372036854770000')).toEqual({ taken: true, seq: 3, id: '9223372036854770000' });
    });

    it('gets an id a step above the last, when the clock of the caller is behind', async () => {
      await take('9007199254740993');
      expect(await take('9007199254740993', { step: 5 })).toEqual({ taken: true, seq: 2, id: '9007199254740998' });
      expect(await take('7', { step: 1_000 })).toEqual({ taken: true, seq: 3, id: '9007199254741998' });
      expect(await take('9007199254741999', { step: 1_000 })).toEqual({ taken: true, seq: 4, id: '9007199254741999' });
    });

    it('is no number of text: "9" lies below "10"', async () => {
      await take('10');
      expect(await take('9', { step: 2 })).toEqual({ taken: true, seq: 2, id: '12' });
    });

    it('is shown by the head, with who took it', async () => {
      await take('9007199254740993', { nonce: 'first' });
      expect(await workspace.head(conversation, 'ana')).toMatchObject({
        seq: 1,
        lastId: '9007199254740993',
        lastBy: 'first',
      });
      await take('5', { nonce: 'second' });
      expect(await workspace.head(conversation, 'ben')).toMatchObject({
        seq: 2,
        lastId: '9007199254740994',
        lastBy: 'second',
      });
    });

    it('is one of an unbroken row under 50 callers at the same moment, whose ids rise with it whatever their clocks say', async () => {
      const asked = times(50, (i) => String(1_000_000n - BigInt((i * 37) % 50) * 1_000n));
      const answers = await Promise.all(asked.map((id, i) => take(id, { step: 1 + (i % 3) })));
      const numbers = answers.map(taken).sort((a, b) => a.seq - b.seq);
      expect(numbers.map(({ seq }) => seq)).toEqual(times(50, (i) => i + 1));
      numbers.forEach(({ id }, i) => {
        if (i > 0) expect(compareIds(id, numbers[i - 1]!.id)).toBeGreaterThan(0);
      });
      expect(await workspace.head(conversation, 'ana')).toMatchObject({ seq: 50, lastId: numbers[49]!.id });
    });

    it('can be asked for its id for ever, whether or not anybody used it', async () => {
      const numbers: { seq: number; id: string }[] = [];
      for (let i = 0; i < 100; i++) numbers.push(taken(await take(String(1_000 + i * 10))));
      for (const { seq, id } of numbers) expect(await at.port.idOf(conversation, seq)).toBe(id);
      for (const seq of [0, 101, 1_000]) expect(await at.port.idOf(conversation, seq)).toBeUndefined();
      expect(await at.port.idOf(workspace.conversation(), 1)).toBeUndefined();
    });

    it('can be asked for its id while others are taken', async () => {
      const answers = await Promise.all(
        times(80, async (i) => {
          const number = taken(await take(String(1_000 + i)));
          return [await at.port.idOf(conversation, number.seq), number.id];
        }),
      );
      for (const [found, id] of answers) expect(found).toBe(id);
    });

    it('is not taken with another version of the roster, and nothing changes', async () => {
      await take('100', { nonce: 'first' });
      const before = await workspace.head(conversation, 'ana');
      for (const rosterVersion of [0, 2]) expect(await take('200', { rosterVersion })).toEqual({ taken: false });
      expect(await workspace.head(conversation, 'ana')).toEqual(before);
      expect(await at.port.takeNumber(numberRequest(workspace.conversation(), '1'))).toEqual({ taken: false });
    });

    it('of one conversation is none of another', async () => {
      const other = await workspace.create('ana');
      await take('500');
      expect(await at.port.takeNumber(numberRequest(other, '100'))).toEqual({ taken: true, seq: 1, id: '100' });
    });
  });

  describe('a dedupe row', () => {
    let key: DedupeKey;
    const rowOf = (id: string, seq: number, more: Partial<DedupeRow> = {}): DedupeRow => {
      const sentAtMs = at.clock.now();
      return { id, seq, bodyHash: 'hash', sentAtMs, expiresAtMs: sentAtMs + 3_600_000, ...more };
    };
    const standing = async (of = key) => (await at.port.readForAppend(of, workspace.user('ana'), 'none')).dedupe;

    beforeEach(() => {
      key = { conversation, userId: 'ana', clientKey: unique() };
    });

    it('is stored as it was given, and is what a later one is answered with', async () => {
      const first = rowOf('9223372036854775807', Number.MAX_SAFE_INTEGER);
      expect(await standing()).toBeUndefined();
      expect(await at.port.reserve(key, first)).toEqual(first);
      expect(await at.port.reserve(key, rowOf('7', 2, { bodyHash: 'other' }))).toEqual(first);
      expect(await at.port.reserve(key, first)).toEqual(first);
      expect(await standing()).toEqual(first);
    });

    it('is that of one of 50 at the same moment, and all are told which', async () => {
      const rows = times(50, (i) => rowOf(String(100 + i), i + 1));
      const answers = await Promise.all(rows.map((row) => at.port.reserve(key, row)));
      for (const answer of answers) expect(answer).toEqual(answers[0]);
      expect(rows).toContainEqual(answers[0]);
      expect(await standing()).toEqual(answers[0]);
    });

    it('is moved to another number only from the one where it stands', async () => {
      const [first, second, third] = [rowOf('100', 1), rowOf('200', 2), rowOf('300', 3)];
      await at.port.reserve(key, first);
      expect(await at.port.repoint(key, '100', second)).toEqual(second);
      expect(await at.port.repoint(key, '100', third)).toEqual(second);
      expect(await standing()).toEqual(second);
      expect(await at.port.repoint(key, '200', third)).toEqual(third);
      expect(await standing()).toEqual(third);
    });

    it('may be moved again by whoever has moved it: the answer is the same', async () => {
      const second = rowOf('200', 2);
      await at.port.reserve(key, rowOf('100', 1));
      await at.port.repoint(key, '100', second);
      expect(await at.port.repoint(key, '100', second)).toEqual(second);
    });

    it('is moved by one of 20 at the same moment, and all are told where', async () => {
      await at.port.reserve(key, rowOf('100', 1));
      const rows = times(20, (i) => rowOf(String(200 + i), i + 2));
      const answers = await Promise.all(rows.map((row) => at.port.repoint(key, '100', row)));
      for (const answer of answers) expect(answer).toEqual(answers[0]);
      expect(await standing()).toEqual(answers[0]);
    });

    it('is none of another conversation, user or key, however alike they are written', async () => {
      const other = await workspace.create('ana');
      const keys: DedupeKey[] = [
        key,
        { ...key, conversation: other },
        { ...key, userId: 'ben' },
        { ...key, clientKey: unique() },
        { ...key, userId: 'ana#x', clientKey: 'y' },
        { ...key, userId: 'ana', clientKey: 'x#y' },
        { ...key, userId: 'ana|1', clientKey: '2' },
        { ...key, userId: 'ana', clientKey: '1|2' },
      ];
      for (const [i, one] of keys.entries()) {
        expect(await at.port.reserve(one, rowOf(String(i + 1), i + 1))).toMatchObject({ id: String(i + 1) });
      }
    });
  });

  describe('what a send reads', () => {
    const read = (userId: string, connectionId = 'none', clientKey = unique()) =>
      at.port.readForAppend({ conversation, userId, clientKey }, workspace.user(userId), connectionId);

    it('is the membership as it stands, nothing for a stranger, and the dedupe row if there is one', async () => {
      await take('100');
      expect((await read('ana')).membership).toEqual(await at.port.membership(conversation, 'ana'));
      expect(await read('cleo')).toEqual({ connected: false });
      const clientKey = unique();
      const row = {
        id: '100',
        seq: 1,
        bodyHash: 'hash',
        sentAtMs: at.clock.now(),
        expiresAtMs: at.clock.now() + 3_600_000,
      };
      await at.port.reserve({ conversation, userId: 'ana', clientKey }, row);
      expect((await read('ana', 'none', clientKey)).dedupe).toEqual(row);
    });

    it('says whether that very connection is registered', async () => {
      const connection = {
        connectionId: unique(),
        deviceId: 'phone',
        connectedAtMs: at.clock.now(),
        expiresAtMs: at.clock.now() + 3_600_000,
      };
      await at.port.addConnection(workspace.user('ana'), connection);
      expect((await read('ana', connection.connectionId)).connected).toBe(true);
      expect((await read('ana', unique())).connected).toBe(false);
      expect((await read('ben', connection.connectionId)).connected).toBe(false);
      await at.port.removeConnection(workspace.user('ana'), connection.connectionId);
      expect((await read('ana', connection.connectionId)).connected).toBe(false);
    });

    it('sees every number that was taken before', async () => {
      for (let seq = 1; seq <= 20; seq++) {
        await take('1');
        expect((await read('ben')).membership?.head.seq).toBe(seq);
      }
    });
  });
}
