import { LIMITS, utf8Bytes, type Cursor, type Reply } from '@parley/protocol';
import { declareVoid, takeNumber } from './support/numbers.ts';
import { Stage, type Socket } from './support/stage.ts';

type Resumed = Reply<'session.start'>['conversations'][number];

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

async function sendMany(count: number, text = 'hello', to = group): Promise<Cursor[]> {
  const sent: Cursor[] = [];
  for (let i = 0; i < count; i++) {
    stage.clock.advance(50);
    const { seq, id } = await ana.send(to, text);
    sent.push({ seq, id });
  }
  return sent;
}

const start = (cursors?: Record<string, Cursor & { epoch: number }>, socket = ben): Promise<Reply<'session.start'>> =>
  socket.ok('session.start', { ...(cursors && { cursors }) });
const view = ({ entries, completeToSeq, limited }: Resumed) => ({
  seqs: entries.map(({ seq }) => seq),
  completeToSeq,
  limited,
});

describe('session.start', () => {
  it('says who and where the client is, its limits, and when its socket ends', async () => {
    const { conversations, ...answer } = await start();
    expect(answer).toEqual({
      userId: 'ben',
      workspaceId: 'w1',
      deviceId: 'phone',
      serverTimeMs: stage.clock.now(),
      socketEndsAtMs: ben.connectedAt + LIMITS.socketMaxMs,
      heartbeatIntervalMs: LIMITS.heartbeatIntervalMs,
      limits: { textMaxBytes: LIMITS.textMaxBytes, messageMaxBytes: LIMITS.messageMaxBytes, groupMembersMax: 500 },
      gone: [],
    });
    expect(conversations).toHaveLength(1);
  });

  it('says that the socket ends with the token when that ends first', async () => {
    const expiresAtMs = stage.clock.now() + 60_000;
    const socket = await stage.connect('ben', { expiresAtMs });
    expect((await start(undefined, socket)).socketEndsAtMs).toBe(expiresAtMs);
  });

  it('gives what lies after the cursor, and only of conversations that changed', async () => {
    const still = await stage.group(ana, ben);
    const [fixed] = await sendMany(1, 'hello', still);
    const sent = await sendMany(4);
    const cursors = { [group]: { ...sent[1]!, epoch }, [still]: { ...fixed!, epoch } };
    const { conversations } = await start(cursors);
    expect(conversations.map(({ conversationId }) => conversationId)).toEqual([group]);
    expect(view(conversations[0]!)).toEqual({ seqs: [3, 4], completeToSeq: 4, limited: false });
    expect(conversations[0]).toMatchObject({ headSeq: 4, epoch, memberCount: 2, me: { readSeq: 0 } });
  });

  it('gives a new conversation, even an empty one', async () => {
    const [only] = (await start()).conversations;
    expect(view(only!)).toEqual({ seqs: [], completeToSeq: 0, limited: false });
  });

  it('gives the newest entries where there is no cursor, and says when older ones exist', async () => {
    await sendMany(LIMITS.sessionEntriesMax);
    const whole = view((await start()).conversations[0]!);
    expect([whole.seqs.length, whole.seqs[0], whole.completeToSeq, whole.limited]).toEqual([50, 1, 50, false]);
    await sendMany(3);
    const newest = view((await start()).conversations[0]!);
    expect([newest.seqs.length, newest.seqs[0], newest.completeToSeq, newest.limited]).toEqual([50, 4, 53, true]);
  });

  it('is limited after a cursor that lies far behind, and log.sync goes on from where it ended', async () => {
    const sent = await sendMany(120);
    const [resumed] = (await start({ [group]: { ...sent[9]!, epoch } })).conversations;
    expect(view(resumed!)).toMatchObject({ completeToSeq: 60, limited: true });
    const { seq, id } = resumed!.entries.at(-1)!;
    const rest = await ben.ok('log.sync', { conversationId: group, after: { seq, id }, epoch });
    expect(rest.entries.map((entry) => entry.seq)).toEqual(sent.slice(60).map((entry) => entry.seq));
  });

  it('is complete only up to a pending number, with a cursor and without', async () => {
    const [first] = await sendMany(1);
    const pending = await takeNumber(stage, ana.keyOf(group));
    await sendMany(2);
    for (const cursors of [undefined, { [group]: { ...first!, epoch } }]) {
      const seqs = cursors ? [3, 4] : [1, 3, 4];
      expect(view((await start(cursors)).conversations[0]!)).toEqual({ seqs, completeToSeq: 1, limited: false });
    }
    await declareVoid(stage, ana.keyOf(group), pending);
    expect(view((await start()).conversations[0]!)).toEqual({ seqs: [1, 2, 3, 4], completeToSeq: 4, limited: false });
  });

  it('takes a cursor of another epoch for none at all', async () => {
    const sent = await sendMany(3);
    const [resumed] = (await start({ [group]: { ...sent[2]!, epoch: epoch + 1 } })).conversations;
    expect(view(resumed!)).toEqual({ seqs: [1, 2, 3], completeToSeq: 3, limited: false });
  });

  it('names the conversations of cursors that the caller is no member of', async () => {
    const other = await stage.group(ana);
    const cursor = { seq: 0, id: '0', epoch };
    expect((await start({ [group]: cursor, [other]: cursor, g_unknown: cursor })).gone).toEqual([other, 'g_unknown']);
  });

  it('never says of a conversation that its head lies below an entry which it gives', async () => {
    await sendMany(2);
    const services = { ...stage.services };
    const { conversations } = await ben.ok(
      'session.start',
      {},
      {
        ...services,
        log: new Proxy(stage.log, {
          get: (log, name) => {
            if (name !== 'before') return Reflect.get(log, name) as unknown;
            return async (...args: Parameters<typeof log.before>) => {
              await sendMany(1, 'between the two reads');
              return log.before(...args);
            };
          },
        }),
      },
    );
    const [one] = conversations;
    expect(one!.entries.at(-1)!.seq).toBe(3);
    expect(one!.headSeq).toBe(3);
  });
});

describe('an answer of session.start that is full', () => {
  const longName = (i: number): string => `${String(i).padStart(3, '0')}-${'n'.repeat(LIMITS.userIdMaxChars - 4)}`;

  /** Starts a session page by page; every answer must fit into a message. */
  async function startAll(cursors: Record<string, Cursor & { epoch: number }> = {}) {
    const conversations: Resumed[] = [];
    let page: string | undefined;
    let pages = 0;
    do {
      const text = await ben.raw(
        JSON.stringify({ action: 'session.start', id: '1'.repeat(64), body: { cursors, page } }),
      );
      expect(utf8Bytes(text)).toBeLessThanOrEqual(LIMITS.messageMaxBytes);
      const { body } = JSON.parse(text) as { body: Reply<'session.start'> };
      conversations.push(...body.conversations);
      page = body.nextPage;
      pages++;
      stage.clock.advance(1_000);
    } while (page !== undefined);
    return { conversations, pages };
  }

  it('goes on on the next page: each conversation once, however many members and however large the texts', async () => {
    const crowd = await Promise.all(Array.from({ length: 30 }, (_, i) => stage.connect(longName(i))));
    const made = [group];
    for (let i = 0; i < 59; i++) {
      stage.clock.advance(1_000);
      made.push(await stage.group(ana, ben, ...crowd));
      await sendMany(i % 3, 'x'.repeat(LIMITS.textMaxBytes), made.at(-1));
    }
    const { conversations, pages } = await startAll();
    expect(conversations.map(({ conversationId }) => conversationId).sort()).toEqual([...made].sort());
    expect(pages).toBeGreaterThan(3);
    for (const one of conversations) {
      const missing = one.headSeq - one.entries.length;
      expect([one.limited, one.entries.at(-1)?.seq ?? one.headSeq]).toEqual([missing > 0, one.headSeq]);
    }
  });

  it('drops the newest entries of what has a cursor, and is complete up to what is left', async () => {
    const cursors: Record<string, Cursor & { epoch: number }> = {};
    for (let i = 0; i < 4; i++) {
      const to = await stage.group(ana, ben);
      const [first] = await sendMany(4, 'x'.repeat(LIMITS.textMaxBytes), to);
      cursors[to] = { ...first!, epoch };
    }
    const { conversations } = await startAll(cursors);
    const resumed = conversations.filter(({ conversationId }) => conversationId !== group);
    expect(resumed).toHaveLength(4);
    expect(resumed.some(({ limited }) => limited)).toBe(true);
    for (const { entries, completeToSeq, limited } of resumed) {
      expect(entries.map(({ seq }) => seq)).toEqual([2, 3, 4].slice(0, entries.length));
      expect([completeToSeq, limited]).toEqual([1 + entries.length, entries.length < 3]);
    }
  });

  it('stays within a message when one entry alone is as large as JSON can make it', async () => {
    await ana.send(group, '\u0001'.repeat(LIMITS.textMaxBytes));
    const { conversations } = await startAll();
    expect(conversations[0]).toMatchObject({ headSeq: 1, limited: true, entries: [] });
    expect((await ben.ok('log.page', { conversationId: group })).entries).toHaveLength(1);
  });

  it('stays within a message when many conversations are gone besides', async () => {
    await sendMany(6, 'x'.repeat(LIMITS.textMaxBytes - 300));
    const gone = Array.from({ length: LIMITS.cursorsMax }, (_, i) => String(i).padStart(64, 'g'));
    await startAll(Object.fromEntries(gone.map((id) => [id, { seq: 1, id: '1', epoch }])));
  });

  it('pages through more conversations than one answer names', async () => {
    for (let i = 0; i < 70; i++) {
      stage.clock.advance(1_000);
      await stage.group(ana, ben);
    }
    const { conversations, pages } = await startAll();
    expect([new Set(conversations.map((one) => one.conversationId)).size, conversations.length, pages]).toEqual([
      71, 71, 2,
    ]);
  });
});
