import { LIMITS, utf8Bytes, type Cursor, type Entry, type Reply } from '@parley/protocol';
import { declareVoid, takeNumber, type Numbered } from './support/numbers.ts';
import { Stage, type Socket } from './support/stage.ts';

const START: Cursor = { seq: 0, id: '0' };

let stage: Stage;
let ana: Socket;
let ben: Socket;
let group: string;
let epoch: number;

beforeEach(async () => {
  stage = new Stage();
  ana = await stage.connect('ana');
  ben = await stage.connect('ben');
  group = await stage.group(ana, ben);
  ({ epoch } = (await ana.ok('conversation.get', { conversationId: group })).conversation);
});

async function sendMany(count: number, text = 'hello'): Promise<Numbered[]> {
  const sent: Numbered[] = [];
  for (let i = 0; i < count; i++) {
    stage.clock.advance(50);
    sent.push(await ana.send(group, `${text} ${i}`));
  }
  return sent;
}

const sync = (after: Cursor, more: object = {}): Promise<Reply<'log.sync'>> =>
  ben.ok('log.sync', { conversationId: group, after, ...more });
const seqsOf = (entries: readonly Entry[]): number[] => entries.map(({ seq }) => seq);
const cursorOf = ({ seq, id }: Numbered): Cursor => ({ seq, id });

describe('log.sync', () => {
  it('gives every entry after the cursor, oldest first, and says that it is whole', async () => {
    const sent = await sendMany(5);
    const answer = await sync(cursorOf(sent[1]!), { epoch });
    expect(answer).toEqual({ epoch, headSeq: 5, entries: answer.entries, completeToSeq: 5, limited: false });
    expect(answer.entries.map(({ id }) => id)).toEqual(sent.slice(2).map(({ id }) => id));
  });

  it('gives nothing after the newest entry, and nothing of an empty log', async () => {
    expect(await sync(START)).toEqual({ epoch, headSeq: 0, entries: [], completeToSeq: 0, limited: false });
    const [only] = await sendMany(1);
    expect(await sync(cursorOf(only!))).toMatchObject({ entries: [], completeToSeq: 1, limited: false, headSeq: 1 });
  });

  it('pages through everything by `next`, without a hole and without an entry twice', async () => {
    const sent = await sendMany(23);
    const got: Entry[] = [];
    let after = START;
    let pages = 0;
    for (let more = true; more; pages++) {
      const { entries, completeToSeq, limited, next } = await sync(after, { limit: 5 });
      got.push(...entries);
      expect(completeToSeq).toBe(entries.at(-1)?.seq);
      expect(next).toEqual(limited ? cursorOf(entries.at(-1)!) : undefined);
      more = limited;
      after = next ?? after;
    }
    expect(got.map(({ id }) => id)).toEqual(sent.map(({ id }) => id));
    expect(pages).toBe(5);
  });

  it('gives 100 entries unless asked for fewer or more', async () => {
    const sent = await sendMany(201);
    expect((await sync(START)).entries).toHaveLength(LIMITS.syncLimitDefault);
    const { entries, limited, next } = await sync(START, { limit: LIMITS.syncLimitMax });
    expect([entries.length, limited, next]).toEqual([200, true, cursorOf(sent[199]!)]);
  });

  it('ends an answer before it grows beyond what a message may carry, and goes on by `next`', async () => {
    await sendMany(15, 'x'.repeat(LIMITS.textMaxBytes - 3));
    const got: number[] = [];
    let after = START;
    let pages = 0;
    for (let more = true; more; pages++) {
      const answer = await sync(after);
      expect(utf8Bytes(JSON.stringify(answer))).toBeLessThan(LIMITS.messageMaxBytes - 1_024);
      got.push(...seqsOf(answer.entries));
      more = answer.limited;
      after = answer.next ?? after;
    }
    expect(got).toEqual(Array.from({ length: 15 }, (_, i) => i + 1));
    expect(pages).toBe(3);
  });

  it('gives at least one entry, however large it is as JSON', async () => {
    await ana.send(group, '\u0001'.repeat(LIMITS.textMaxBytes));
    await ana.send(group, '\u0001'.repeat(LIMITS.textMaxBytes));
    const answer = await sync(START);
    expect([seqsOf(answer.entries), answer.limited]).toEqual([[1], true]);
    expect(utf8Bytes(JSON.stringify(answer))).toBeLessThan(LIMITS.messageMaxBytes);
    expect(seqsOf((await sync(answer.next!)).entries)).toEqual([2]);
  });
});

describe('log.sync beside a number that is still pending', () => {
  let before: Numbered;
  let pending: Numbered;
  let beyond: Numbered[];

  beforeEach(async () => {
    [before] = (await sendMany(1)) as [Numbered];
    pending = await takeNumber(stage, ana.keyOf(group));
    beyond = await sendMany(4);
  });

  it('gives what lies beyond, but is complete only up to the number, and says when to ask again', async () => {
    const answer = await sync(START);
    expect(seqsOf(answer.entries)).toEqual([1, 3, 4, 5, 6]);
    expect(answer).toMatchObject({ headSeq: 6, completeToSeq: 1, limited: false, retryAfterMs: 1_000 });
    expect(answer).not.toHaveProperty('next');
  });

  it('says the same from a cursor right before the number', async () => {
    expect(await sync(cursorOf(before))).toMatchObject({ completeToSeq: 1, retryAfterMs: 1_000 });
  });

  it('pages on beyond it', async () => {
    const first = await sync(START, { limit: 2 });
    expect(first).toMatchObject({ completeToSeq: 1, limited: true, next: cursorOf(beyond[0]!) });
    const second = await sync(first.next!, { limit: 2 });
    expect([seqsOf(second.entries), second.completeToSeq, second.limited]).toEqual([[4, 5], 5, true]);
    const third = await sync(second.next!, { limit: 2 });
    expect([seqsOf(third.entries), third.completeToSeq, third.limited]).toEqual([[6], 6, false]);
    expect(third).not.toHaveProperty('retryAfterMs');
  });

  it('is complete once a void row stands at the number, and hands the void out as an entry', async () => {
    await declareVoid(stage, ana.keyOf(group), pending);
    const answer = await sync(cursorOf(before));
    expect(answer).toMatchObject({ completeToSeq: 6, limited: false });
    expect(answer.entries[0]).toEqual({ conversationId: group, ...cursorOf(pending), kind: 'void' });
    expect(answer).not.toHaveProperty('retryAfterMs');
  });

  it('is complete once the late entry stands there', async () => {
    const ends = { sentAtMs: stage.clock.now(), expiresAtMs: stage.clock.now() + LIMITS.entryTtlMs };
    const body = JSON.stringify({ content: { type: 'text', text: 'late' } });
    const sender = { senderId: 'ana', deviceId: 'phone', clientMessageId: '00000000-0000-4000-8000-000000000000' };
    const row = { conversation: ana.keyOf(group), ...pending, kind: 'message', body, ...sender, ...ends } as const;
    await stage.log.insertIfAbsent(row);
    expect(await sync(cursorOf(before))).toMatchObject({ completeToSeq: 6, limited: false });
  });

  it('waits for a pending number at the head too', async () => {
    const last = await takeNumber(stage, ana.keyOf(group));
    await declareVoid(stage, ana.keyOf(group), pending);
    const waiting = await sync(START);
    expect(waiting).toMatchObject({ headSeq: 7, completeToSeq: 6, retryAfterMs: 1_000 });
    await declareVoid(stage, ana.keyOf(group), last);
    expect(await sync(START)).toMatchObject({ headSeq: 7, completeToSeq: 7 });
  });

  it('never takes a void number for a cursor that does not fit: its row is an entry', async () => {
    await declareVoid(stage, ana.keyOf(group), pending);
    expect(seqsOf((await sync(cursorOf(pending))).entries)).toEqual([3, 4, 5, 6]);
  });
});

describe('a cursor of log.sync', () => {
  const refused = async (after: Cursor, more: object = {}): Promise<string> =>
    (await ben.refused('log.sync', { conversationId: group, after, ...more })).code;

  it('must name a seq and the id that belongs to it', async () => {
    const sent = await sendMany(3);
    const elsewhere = await ana.send(await stage.group(ana, ben));
    const wrong: Cursor[] = [
      { seq: 2, id: sent[0]!.id },
      { seq: 0, id: sent[0]!.id },
      { seq: 1, id: '0' },
      { seq: 4, id: sent[2]!.id },
      { seq: 1, id: (BigInt(sent[0]!.id) + 1n).toString() },
      { seq: 9, id: '9223372036854775807' },
      { seq: 1, id: elsewhere.id },
    ];
    for (const after of wrong) expect(await refused(after)).toBe('INVALID_CURSOR');
  });

  it('must not name a pending number: nobody can have seen it', async () => {
    expect(await refused(await takeNumber(stage, ana.keyOf(group)))).toBe('INVALID_CURSOR');
  });

  it('must be of the epoch that stands now, if it names one', async () => {
    const [first] = await sendMany(1);
    expect(await refused(cursorOf(first!), { epoch: epoch + 1 })).toBe('INVALID_CURSOR');
    expect(await refused(START, { epoch: epoch + 1 })).toBe('INVALID_CURSOR');
    await sync(cursorOf(first!), { epoch });
  });

  it('has expired when its entry is no longer kept, and the log can be read from the beginning', async () => {
    const [old] = await sendMany(1);
    const pending = await takeNumber(stage, ana.keyOf(group));
    await declareVoid(stage, ana.keyOf(group), pending);
    stage.clock.advance(LIMITS.entryTtlMs);
    await ben.disconnect();
    ben = await stage.connect('ben');
    ana = await stage.connect('ana');
    const young = await ana.send(group, 'young');
    expect(await refused(cursorOf(old!))).toBe('CURSOR_EXPIRED');
    const answer = await sync(START);
    expect(seqsOf(answer.entries)).toEqual([young.seq]);
    expect(answer).toMatchObject({ completeToSeq: 3, limited: false });
    expect(answer).not.toHaveProperty('retryAfterMs');
  });
});

describe('log.page', () => {
  it('walks back to the first entry, newest first, without a hole and without an entry twice', async () => {
    const sent = await sendMany(23);
    const got: string[] = [];
    let beforeId: string | undefined;
    let pages = 0;
    do {
      const answer: Reply<'log.page'> = await ben.ok('log.page', {
        conversationId: group,
        limit: 5,
        ...(beforeId !== undefined && { beforeId }),
      });
      got.push(...answer.entries.map(({ id }) => id));
      beforeId = answer.nextBeforeId;
      pages++;
    } while (beforeId !== undefined);
    expect(got).toEqual(sent.map(({ id }) => id).reverse());
    expect(pages).toBe(5);
  });

  it('gives 50 entries unless asked for fewer or more, and ends exactly at the first', async () => {
    const sent = await sendMany(100);
    expect((await ben.ok('log.page', { conversationId: group })).entries).toHaveLength(LIMITS.pageLimitDefault);
    const all = await ben.ok('log.page', { conversationId: group, limit: 100 });
    expect([all.entries.length, all.nextBeforeId]).toEqual([100, undefined]);
    const beforeId = sent[0]!.id;
    expect(await ben.ok('log.page', { conversationId: group, beforeId })).toEqual({ entries: [] });
  });

  it('stays below what a message may carry', async () => {
    await sendMany(12, '\u{1F469}'.repeat(4_000));
    const first = await ben.ok('log.page', { conversationId: group });
    expect(utf8Bytes(JSON.stringify(first))).toBeLessThan(LIMITS.messageMaxBytes);
    expect(first.entries.length).toBeLessThan(12);
    const beforeId = first.nextBeforeId;
    const rest = await ben.ok('log.page', { conversationId: group, beforeId });
    expect(first.entries.length + rest.entries.length).toBe(12);
  });

  it('shows a void number as such, without what was never said', async () => {
    const number = await takeNumber(stage, ana.keyOf(group));
    await declareVoid(stage, ana.keyOf(group), number);
    const { entries } = await ben.ok('log.page', { conversationId: group });
    expect(entries).toEqual([{ conversationId: group, ...number, kind: 'void' }]);
  });
});
