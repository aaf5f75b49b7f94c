import { randomUUID } from 'node:crypto';
import type { Entry, Reply } from '@parley/protocol';
import type { LogRow } from '../../lambdas/ports/message-log/port.ts';
import { audit } from './support/audit.ts';
import { crashAt, loseAt, replace, spy } from './support/intercept.ts';
import { Shuffle } from './support/shuffle.ts';
import { Stage, type Socket } from './support/stage.ts';

const SECRET = 'a secret that was said';
const OTHER = 'another secret';
const zero = { seq: 0, id: '0' };

let stage: Stage;
let ana: Socket;
let ben: Socket;
let group: string;
let message: Reply<'message.send'>;

async function open(): Promise<void> {
  stage = new Stage();
  ana = await stage.connect('ana');
  ben = await stage.connect('ben');
  group = await stage.group(ana, ben);
  message = await ben.send(group, SECRET);
}
beforeEach(open);

const edit = (text: string, more: object = {}) => ({
  ...{ conversationId: group, clientRequestId: randomUUID(), targetId: message.id },
  content: { type: 'text', text },
  ...more,
});
const deletion = (more: object = {}) => ({
  ...{ conversationId: group, clientRequestId: randomUUID(), targetId: message.id },
  ...more,
});
const read = async (socket = ana): Promise<Entry[]> =>
  (await socket.ok('log.sync', { conversationId: group, after: zero })).entries;
/** All that is stored of the conversation, as it lies there. */
const stored = async (): Promise<string> => JSON.stringify(await stage.log.after(ana.keyOf(group), '0', 500));
const entriesOf = (socket: Socket): Entry[] =>
  socket.events.flatMap(({ type, body }) => (type === 'entry' ? [body] : []));

describe('an edit', () => {
  it('is an entry of its own, which reaches everybody, and the message stays as it was', async () => {
    const { id, seq, sentAtMs } = await ben.ok('message.edit', edit(OTHER));
    await stage.settled();
    const expected = {
      ...{ conversationId: group, id, seq, sentAtMs, kind: 'edit', senderId: 'ben' },
      ...{ targetId: message.id, content: { type: 'text', text: OTHER } },
    };
    expect(seq).toBe(message.seq + 1);
    expect((await read()).map(({ kind }) => kind)).toEqual(['message', 'edit']);
    expect((await read())[1]).toEqual(expected);
    expect(entriesOf(ana).at(-1)).toEqual(expected);
    expect((await ana.ok('log.page', { conversationId: group })).entries[0]).toEqual(expected);
  });

  it('that is repeated, also at the same moment, is one entry, and is answered with it', async () => {
    const asked = edit(OTHER);
    const services = new Shuffle(7).wrap(stage.services);
    const answers = await Promise.all([1, 2, 3].map(() => ben.ok('message.edit', asked, services)));
    expect(new Set(answers.map((answer) => JSON.stringify(answer))).size).toBe(1);
    expect(await ben.ok('message.edit', asked)).toEqual(answers[0]);
    expect((await read()).filter(({ kind }) => kind === 'edit')).toHaveLength(1);
    for (const more of [{ content: { type: 'text', text: 'else' } }, { targetId: '1' }]) {
      expect(await ben.refused('message.edit', { ...asked, ...more })).toMatchObject({ code: 'CONFLICT' });
    }
  });

  it('is its author’s alone, and only of a message of that conversation', async () => {
    expect(await ana.refused('message.edit', edit(OTHER))).toMatchObject({ code: 'FORBIDDEN' });
    const elsewhere = await ben.send(await stage.group(ben, ana), 'elsewhere');
    const { id: ofEdit } = await ben.ok('message.edit', edit(OTHER));
    for (const targetId of ['1', elsewhere.id, ofEdit]) {
      expect(await ben.refused('message.edit', edit(OTHER, { targetId }))).toMatchObject({ code: 'NOT_FOUND' });
    }
    expect((await read()).filter(({ kind }) => kind === 'edit')).toHaveLength(1);
  });

  it('of many, the last one by number is what a reader who folds shows', async () => {
    for (const text of ['one', 'two', 'three']) await ben.ok('message.edit', edit(text));
    const edits = (await read()).flatMap((entry) => (entry.kind === 'edit' ? [entry.content.text] : []));
    expect(edits).toEqual(['one', 'two', 'three']);
  });
});

describe('a delete', () => {
  it('leaves nothing of what was said in any row, nor in any later answer', async () => {
    await ben.ok('message.edit', edit(OTHER));
    await ben.ok('message.edit', edit(`${OTHER} again`));
    await ben.ok('message.delete', deletion());
    await stage.settled();
    expect(await stored()).not.toMatch(/secret/);
    const entries = await read();
    expect(entries.map(({ kind }) => kind)).toEqual(['deleted', 'void', 'void', 'delete']);
    expect(entries[0]).toMatchObject({ id: message.id, seq: message.seq, senderId: 'ben' });
    expect(entries[3]).toMatchObject({ senderId: 'ben', targetId: message.id });
    for (const answer of [
      await ana.ok('log.page', { conversationId: group }),
      await ana.ok('session.start', { cursors: { [group]: { ...zero, epoch: 1 } } }),
    ]) {
      expect(JSON.stringify(answer)).not.toMatch(/secret/);
    }
    expect(entriesOf(ana).at(-1)).toEqual(entries[3]);
  });

  it('is the author’s, or the owner’s of the conversation, and nobody else’s', async () => {
    const cleo = await stage.connect('cleo');
    await ana.ok('member.add', { conversationId: group, clientRequestId: 'a', userId: 'cleo' });
    expect(await cleo.refused('message.delete', deletion())).toMatchObject({ code: 'NOT_FOUND' });
    const { id: targetId } = await ana.send(group, 'of the owner');
    expect(await cleo.refused('message.delete', deletion({ targetId }))).toMatchObject({ code: 'FORBIDDEN' });
    await ana.ok('message.delete', deletion());
    expect(await stored()).not.toMatch(/secret/);
    const { conversation } = await ben.ok('conversation.create', {
      ...{ clientRequestId: 'd', type: 'direct', memberIds: ['ana'] },
    });
    const said = await ben.send(conversation.conversationId, 'direct');
    const asked = { conversationId: conversation.conversationId, clientRequestId: 'x', targetId: said.id };
    expect(await ana.refused('message.delete', asked)).toMatchObject({ code: 'FORBIDDEN' });
  });

  it('that is repeated, also at the same moment, is one entry, and is answered with it', async () => {
    const asked = deletion();
    const services = new Shuffle(11).wrap(stage.services);
    const answers = await Promise.all([1, 2, 3].map(() => ben.ok('message.delete', asked, services)));
    expect(new Set(answers.map((answer) => JSON.stringify(answer))).size).toBe(1);
    expect((await read()).map(({ kind }) => kind).filter((kind) => kind !== 'void')).toEqual(['deleted', 'delete']);
    expect(await ben.refused('message.delete', deletion())).toMatchObject({ code: 'NOT_FOUND' });
    expect(await ben.refused('message.edit', edit(OTHER))).toMatchObject({ code: 'NOT_FOUND' });
  });

  it('is not undone by a late repeat of the message or of an edit: each is answered as before', async () => {
    const body = { conversationId: group, clientMessageId: randomUUID(), content: { type: 'text', text: SECRET } };
    const sent = await ben.ok('message.send', body);
    message = sent;
    const editing = edit(OTHER);
    const edited = await ben.ok('message.edit', editing);
    await ben.ok('message.delete', deletion());
    await stage.settled();
    const heard = entriesOf(ana).length;
    const kinds = (await read()).map(({ kind }) => kind);
    expect(await ben.ok('message.send', body)).toEqual(sent);
    expect(await ben.ok('message.edit', editing)).toEqual(edited);
    await stage.repaired();
    expect((await read()).map(({ kind }) => kind)).toEqual(kinds);
    expect(kinds.slice(1)).toEqual(['deleted', 'void', 'delete']);
    expect(JSON.stringify(entriesOf(ana).slice(heard))).not.toMatch(/secret/);
  });

  it.each(Array.from({ length: 40 }, (_, seed) => seed))(
    'leaves nothing of an edit at the same moment, whichever comes first (order %i)',
    async (seed) => {
      const services = new Shuffle(seed).wrap(stage.services);
      const [edited, deleted] = await Promise.all([
        ben.request('message.edit', edit(OTHER), services),
        ana.request('message.delete', deletion(), services),
      ]);
      expect(deleted.ok).toBe(true);
      if (!edited.ok) expect(edited.error).toMatchObject({ code: 'NOT_FOUND' });
      await stage.repaired();
      expect(await stored()).not.toMatch(/secret/);
      expect((await audit(stage, ana.keyOf(group), 'ana')).pending).toEqual([]);
    },
  );
});

describe('an edit that lands while its message is being deleted', () => {
  it('is blanked, although the delete had found its place empty', async () => {
    let land: () => void = () => undefined;
    const mayLand = new Promise<void>((resolve) => (land = resolve));
    let reached: () => void = () => undefined;
    const isAtInsert = new Promise<void>((resolve) => (reached = resolve));
    const slow = replace(stage.services, 'log', {
      insertIfAbsent: async ({ proceed }) => {
        reached();
        await mayLand;
        return proceed();
      },
    });
    const editing = ben.ok('message.edit', edit(OTHER), slow);
    await isAtInsert;
    const racing = replace(stage.services, 'log', {
      insertIfAbsent: async ({ args, proceed }) => {
        if ((args[0] as LogRow).kind === 'void') {
          land();
          await editing;
        }
        return proceed();
      },
    });
    await ana.ok('message.delete', deletion(), racing);
    expect((await read()).map(({ kind }) => kind)).toEqual(['deleted', 'void', 'delete']);
    expect(await stored()).not.toMatch(/secret/);
  });
});

describe('an edit or a delete whose sender dies, or loses one answer', () => {
  const asks = { 'message.edit': () => edit(OTHER), 'message.delete': () => deletion() } as const;
  type Asked = keyof typeof asks;

  const callsOf = async (action: Asked): Promise<number> => {
    await open();
    if (action === 'message.delete') await ben.ok('message.edit', edit(OTHER));
    const { services, calls } = spy(stage.services);
    await ben.ok(action, asks[action](), services);
    return calls.length;
  };

  it.each([
    ['message.edit', 'before'],
    ['message.edit', 'after'],
    ['message.delete', 'before'],
    ['message.delete', 'after'],
  ] as const)('%s: %s any call, a repeat ends in one entry', async (action, moment) => {
    const calls = await callsOf(action);
    expect(calls).toBeGreaterThan(8);
    for (let n = 1; n <= calls; n++) {
      for (const disturb of [crashAt, loseAt]) {
        await open();
        if (action === 'message.delete') await ben.ok('message.edit', edit(OTHER));
        const asked = asks[action]();
        await ben.request(action, asked, disturb(stage.services, n, moment).services);
        // Perhaps its number is called void in between.
        if (n % 2 === 0) await stage.repaired();
        const answer = await ben.ok(action, asked);
        await stage.repaired();
        const kind = action === 'message.edit' ? 'edit' : 'delete';
        // A number that was never reserved is closed by whoever misses it.
        stage.clock.advance(20_000);
        await read();
        const entries = (await read()).filter((entry) => entry.kind === kind);
        expect({ n, entries }).toMatchObject({ n, entries: [{ id: answer.id, seq: answer.seq }] });
        expect((await audit(stage, ana.keyOf(group), 'ana')).pending).toEqual([]);
        if (kind === 'delete') expect(await stored()).not.toMatch(/secret/);
      }
    }
  });

  it.each(['before', 'after'] as const)(
    'message.delete: %s any call, and never comes back: nothing has happened, or all of it, and everybody hears of it',
    async (moment) => {
      const outcomes = new Set<string>();
      const calls = await callsOf('message.delete');
      for (let n = 1; n <= calls; n++) {
        await open();
        await ben.ok('message.edit', edit(OTHER));
        await ben.request('message.delete', deletion(), crashAt(stage.services, n, moment).services);
        // A client that has the conversation open may have the number called void before the outbox is read.
        stage.clock.advance(20_000);
        if (n % 2 === 0) await ana.ok('log.sync', { conversationId: group, after: zero });
        await stage.settled();
        await stage.repaired();
        const kinds = (await read()).map(({ kind }) => kind);
        if (kinds.includes('delete')) {
          expect({ n, text: await stored() }).toEqual({ n, text: expect.not.stringMatching(/secret/) as string });
          expect(entriesOf(ana).filter(({ kind }) => kind === 'delete').length).toBeGreaterThanOrEqual(1);
        } else
          expect({ n, kinds }).toMatchObject({ n, kinds: expect.arrayContaining(['message', 'edit']) as string[] });
        outcomes.add(kinds.includes('delete') ? 'all' : 'nothing');
      }
      expect([...outcomes].sort()).toEqual(['all', 'nothing']);
    },
  );
});
