import type { Entry } from '@parley/protocol';
import fc from 'fast-check';
import { memoryStorage, type Message, type ParleyClient } from '../src/index.ts';
import { textsOf, until, useFakeServer } from './harness.ts';

const context = useFakeServer();
const syncs = () => context.server.asked('log.sync').length;

/** Everything that the iterator of a client has given so far. */
function collect(client: ParleyClient): Message[] {
  const messages: Message[] = [];
  void (async () => {
    for await (const message of client.entries()) messages.push(message);
  })();
  return messages;
}

describe('a strict client', () => {
  it('shows exactly the log, in order and each entry once, whatever happens to the live events', async () => {
    context.server.live = false;
    context.server.heartbeatIntervalMs = 20;
    const ana = await context.connect('ana');
    const shown = collect(ana);
    let run = 0;
    const step = fc.constantFrom('push', 'push', 'lose', 'hold', 'release', 'twice', 'void', 'cut', 'own');
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 40 }), async (steps) => {
        const id = `c${++run}`;
        context.server.create(id, ['ana', 'ben']);
        const held: Entry[] = [];
        context.server.push('ana', {
          type: 'conversation',
          body: { change: 'added', conversation: context.server.conversationFor(id, 'ana') },
        });
        await until(() => ana.conversation(id) !== undefined);
        for (const [i, kind] of steps.entries()) {
          if (kind === 'own') await ana.send(id, { text: `own ${i}` });
          else if (kind === 'void') context.server.pushEntry('ana', context.server.appendVoid(id));
          else if (kind === 'cut') context.server.socketsOf('ana')[0]?.socket.terminate();
          else if (kind === 'release') context.server.pushEntry('ana', ...held.splice(0).reverse());
          else {
            const entry = context.server.append(id, 'ben', `${i}`);
            if (kind === 'hold') held.push(entry);
            if (kind === 'push' || kind === 'twice') context.server.pushEntry('ana', entry);
            if (kind === 'twice') context.server.pushEntry('ana', entry);
          }
        }
        const owns = steps.filter((kind) => kind === 'own').length;
        await until(() => context.server.texts(id).filter((text) => text.startsWith('own')).length === owns);
        const log = context.server.texts(id);
        await until(() => ana.messages(id).length === log.length && ana.conversation(id)!.headSeq >= log.length);
        expect(textsOf(ana, id)).toEqual(log);
        await until(() => shown.filter(({ conversationId }) => conversationId === id).length === log.length);
        expect(shown.filter(({ conversationId }) => conversationId === id).map(({ text }) => text)).toEqual(log);
      }),
      { numRuns: 40 },
    );
  }, 60_000);

  it('holds back what comes after a pending number, and pages on beyond it meanwhile', async () => {
    context.server.create('c', ['ana', 'ben']);
    const ana = await context.connect('ana');
    context.server.live = false;
    context.server.pending.add('c/2');
    for (let i = 1; i < 250; i++) context.server.append('c', 'ben', `${i}`);
    const last = context.server.append('c', 'ben', '250');
    const shown = collect(ana);
    context.server.pushEntry('ana', last);
    const afterSeqs = () =>
      context.server.asked('log.sync').map(({ body }) => (body as { after: { seq: number } }).after.seq);
    await until(() => afterSeqs().some((seq) => seq > 2));
    expect(textsOf(ana, 'c')).toEqual(['1']);
    context.server.pending.clear();
    await until(() => ana.messages('c').length === 250);
    expect(textsOf(ana, 'c')).toEqual(context.server.texts('c'));
    expect(shown).toHaveLength(250);
  });

  it('lets a gap close by itself', async () => {
    context.server.create('c', ['ana', 'ben']);
    const ana = await context.connect('ana', { gapGraceMs: 5_000 });
    context.server.live = false;
    const [one, two] = [context.server.append('c', 'ben', '1'), context.server.append('c', 'ben', '2')];
    context.server.pushEntry('ana', two);
    await until(() => ana.conversation('c')?.headSeq === 2);
    expect(textsOf(ana, 'c')).toEqual([]);
    context.server.pushEntry('ana', one);
    await until(() => ana.messages('c').length === 2);
    expect(textsOf(ana, 'c')).toEqual(['1', '2']);
    expect(syncs()).toBe(0);
  });
});

describe('a client that is not strict', () => {
  it('shows an entry at once, and puts the missing one before it', async () => {
    context.server.create('c', ['ana', 'ben']);
    const ana = await context.connect('ana', { strict: false, gapGraceMs: 5_000 });
    context.server.live = false;
    const [one, two] = [context.server.append('c', 'ben', '1'), context.server.append('c', 'ben', '2')];
    context.server.pushEntry('ana', two);
    await until(() => ana.messages('c').length === 1);
    expect(textsOf(ana, 'c')).toEqual(['2']);
    context.server.pushEntry('ana', one);
    await until(() => ana.messages('c').length === 2);
    expect(textsOf(ana, 'c')).toEqual(['1', '2']);
  });
});

describe('the heartbeat', () => {
  it('finds what no event has told', async () => {
    context.server.create('c', ['ana', 'ben']);
    context.server.heartbeatIntervalMs = 10;
    const ana = await context.connect('ana');
    context.server.live = false;
    context.server.append('c', 'ben', 'silent');
    await until(() => ana.messages('c').length === 1);
  });
});

describe('entries of kinds and types that this version does not know', () => {
  it('count, and are not shown', async () => {
    context.server.create('c', ['ana', 'ben']);
    const ana = await context.connect('ana');
    context.server.live = false;
    const { id, seq } = context.server.appendVoid('c');
    const unknown = { kind: 'poll', conversationId: 'c', id, seq, senderId: 'ben', sentAtMs: 1 } as unknown as Entry;
    context.server.push('ana', { type: 'weather', body: {} } as never);
    context.server.pushEntry('ana', unknown);
    context.server.pushEntry('ana', context.server.append('c', 'ben', 'after'));
    await until(() => ana.messages('c').length === 1);
    expect(textsOf(ana, 'c')).toEqual(['after']);
    expect(ana.conversation('c')).toMatchObject({ headSeq: 2, unread: 1 });
  });
});

describe('a log that begins anew', () => {
  async function withHistory() {
    context.server.create('c', ['ana', 'ben']);
    const storage = memoryStorage();
    const ana = await context.connect('ana', { storage });
    for (let i = 0; i < 5; i++) context.server.append('c', 'ben', `old ${i}`);
    await until(() => ana.messages('c').length === 5);
    return { ana, storage };
  }

  it('replaces the old one after a reconnect with another epoch, also in the storage', async () => {
    const { ana, storage } = await withHistory();
    context.server.create('c', ['ana', 'ben'], 'direct', 2);
    context.server.append('c', 'ben', 'new');
    for (const { socket } of context.server.sockets) socket.terminate();
    await until(() => textsOf(ana, 'c').join() === 'new');
    await ana.close();
    const again = context.make('ana', { storage, token: () => Promise.reject(new Error('offline')) });
    await again.connect();
    expect(textsOf(again, 'c')).toEqual(['new']);
  });

  it.each(['INVALID_CURSOR', 'CURSOR_EXPIRED'] as const)('is fetched from the head after %s', async (code) => {
    const { ana } = await withHistory();
    let refuse = true;
    context.server.fault = ({ action }) => (action === 'log.sync' && refuse ? ((refuse = false), code) : undefined);
    context.server.live = false;
    context.server.append('c', 'ben', 'lost');
    context.server.pushEntry('ana', context.server.append('c', 'ben', 'seen'));
    const shown = collect(ana);
    await until(() => ana.messages('c').length === 7);
    expect(textsOf(ana, 'c')).toEqual(context.server.texts('c'));
    expect(shown.map(({ text }) => text)).toEqual(['lost', 'seen']);
    expect(context.server.asked('log.page')).toHaveLength(1);
  });

  it('is fetched from the head when an answer belongs to another epoch', async () => {
    const { ana } = await withHistory();
    context.server.live = false;
    context.server.append('c', 'ben', 'old, and never seen');
    context.server.fault = (request) => {
      if (request.action !== 'log.sync') return undefined;
      context.server.fault = () => undefined;
      const answer = context.server.answer(request) as object;
      context.server.create('c', ['ana', 'ben'], 'direct', 2);
      context.server.append('c', 'ben', 'new');
      context.server.reply(request, { ...answer, epoch: 2 });
      return 'done';
    };
    context.server.pushEntry('ana', context.server.append('c', 'ben', 'old, and ahead'));
    await until(() => textsOf(ana, 'c').join() === 'new');
  });

  it('is started from without cursors when the server cannot use them', async () => {
    const { ana } = await withHistory();
    let refuse = true;
    context.server.fault = ({ action }) =>
      action === 'session.start' && refuse ? ((refuse = false), 'INVALID_CURSOR') : undefined;
    context.server.live = false;
    for (const { socket } of context.server.sockets) socket.terminate();
    context.server.append('c', 'ben', 'more');
    await until(() => ana.messages('c').length === 6);
    expect(textsOf(ana, 'c')).toEqual(context.server.texts('c'));
  });

  it.each([true, false])('is noticed when the server has lost its log (told by an event: %s)', async (live) => {
    const { ana } = await withHistory();
    context.server.live = live;
    context.server.create('c', ['ana', 'ben']);
    context.server.append('c', 'ben', 'anew');
    for (const { socket } of context.server.sockets) socket.terminate();
    await until(() => textsOf(ana, 'c').join() === 'anew');
    expect(ana.conversation('c')).toMatchObject({ headSeq: 1, unread: 1 });
  });
});
