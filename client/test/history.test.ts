import { memoryStorage, type Message } from '../src/index.ts';
import { textsOf, until, useFakeServer } from './harness.ts';

const context = useFakeServer();

function fill(count: number): void {
  context.server.create('c', ['ana', 'ben']);
  for (let i = 1; i <= count; i++) context.server.append('c', 'ben', `${i}`);
}

describe('older history', () => {
  it('is paged in backwards until the first message, each once', async () => {
    fill(120);
    const ana = await context.connect('ana');
    const announced: Message[] = [];
    ana.on('message', (message) => announced.push(message));
    expect(ana.messages('c')).toHaveLength(50);
    expect(ana.conversation('c')).toMatchObject({ hasOlder: true, unread: 120 });
    const twice = [ana.loadOlder('c'), ana.loadOlder('c')];
    expect(ana.conversation('c')?.loadingOlder).toBe(true);
    await Promise.all(twice);
    expect(ana.messages('c')).toHaveLength(100);
    await ana.loadOlder('c');
    expect(textsOf(ana, 'c')).toEqual(context.server.texts('c'));
    expect(ana.conversation('c')).toMatchObject({ hasOlder: false, loadingOlder: false });
    await ana.loadOlder('c');
    expect(context.server.asked('log.page')).toHaveLength(2);
    expect(announced).toEqual([]);
  });

  it('fails with the typed error, and can be asked for again', async () => {
    fill(60);
    const ana = await context.connect('ana');
    context.server.fault = ({ action }) => (action === 'log.page' ? 'UNAVAILABLE' : undefined);
    await expect(ana.loadOlder('c')).rejects.toMatchObject({ code: 'UNAVAILABLE', temporary: true });
    context.server.fault = () => undefined;
    await ana.loadOlder('c');
    expect(ana.messages('c')).toHaveLength(60);
  });
});

describe('after a reload', () => {
  it('the newest messages are there without a connection, and no more than asked for are kept', async () => {
    context.server.create('c', ['ana', 'ben']);
    const storage = memoryStorage();
    const ana = await context.connect('ana', { storage, storedEntriesMax: 20 });
    for (let i = 1; i <= 70; i++) context.server.append('c', 'ben', `${i}`);
    await until(() => ana.messages('c').length === 70);
    ana.markRead('c');
    await ana.close();
    expect((await storage.list('u/ana/e/')).length).toBe(20);

    const offline = context.make('ana', { storage, token: () => Promise.reject(new Error('offline')) });
    await offline.connect();
    expect(textsOf(offline, 'c')).toEqual(context.server.texts('c').slice(-20));
    expect(offline.conversation('c')).toMatchObject({ hasOlder: true, unread: 0, readSeq: 70 });
    await offline.close();

    const online = await context.connect('ana', { storage });
    await online.loadOlder('c');
    expect(textsOf(online, 'c')).toEqual(context.server.texts('c'));
    const [start] = context.server.asked('session.start').slice(-1);
    expect(start?.body).toMatchObject({ cursors: { c: { seq: 70, epoch: 1 } } });
  });

  it('the cursor is never ahead of the stored entries, at whatever write the page goes away', async () => {
    context.server.create('c', ['ana', 'ben']);
    const whole = memoryStorage();
    const states: { storage: ReturnType<typeof memoryStorage>; writes: number }[] = [];
    let writes = 0;
    const recorded = {
      ...whole,
      async write(changes: Parameters<typeof whole.write>[0]) {
        await whole.write(changes);
        const copy = memoryStorage();
        await copy.write((await whole.list('')).map(([put, value]) => ({ put, value })));
        states.push({ storage: copy, writes: ++writes });
      },
    };
    const ana = await context.connect('ana', { storage: recorded });
    for (let i = 1; i <= 10; i++) {
      context.server.append('c', 'ben', `${i}`);
      await until(() => ana.messages('c').length === i);
    }
    await ana.close();
    expect(states.length).toBeGreaterThan(5);
    for (const { storage } of states) {
      const again = await context.connect('ana', { storage });
      await until(() => again.messages('c').length === 10);
      expect(textsOf(again, 'c')).toEqual(context.server.texts('c'));
      await again.close();
    }
  });

  it('entries that another tab has thinned out are fetched again rather than missed', async () => {
    fill(30);
    const storage = memoryStorage();
    const ana = await context.connect('ana', { storage });
    await ana.close();
    const keys = (await storage.list('u/ana/e/')).map(([key]) => key);
    await storage.write(keys.slice(5, 12).map((key) => ({ delete: key })));
    const again = await context.connect('ana', { storage });
    expect(textsOf(again, 'c')).toEqual(context.server.texts('c').slice(12));
    await again.loadOlder('c');
    expect(textsOf(again, 'c')).toEqual(context.server.texts('c'));
    await again.close();
    await storage.write(keys.map((key) => ({ delete: key })));
    const anew = await context.connect('ana', { storage });
    await until(() => anew.messages('c').length === 30);
  });

  it('another user of the same storage sees nothing of the first, and the first finds everything again', async () => {
    fill(3);
    context.server.create('d', ['cleo', 'ben']);
    const storage = memoryStorage();
    const ana = await context.connect('ana', { storage });
    await ana.close();
    const cleo = await context.connect('cleo', { storage });
    expect(cleo.userId).toBe('cleo');
    expect(cleo.conversations.map(({ conversationId }) => conversationId)).toEqual(['d']);
    await cleo.close();
    const again = await context.connect('ana', { storage });
    expect(again.conversations.map(({ conversationId }) => conversationId)).toEqual(['c']);
    expect(textsOf(again, 'c')).toEqual(['1', '2', '3']);
  });
});

describe('a storage that fails', () => {
  it('keeps a message from being queued, and nothing else', async () => {
    context.server.create('c', ['ana', 'ben']);
    const storage = memoryStorage();
    let full = false;
    const failing = {
      ...storage,
      write: (changes: Parameters<typeof storage.write>[0]) =>
        full ? Promise.reject(new Error('quota')) : storage.write(changes),
    };
    const ana = await context.connect('ana', { storage: failing });
    full = true;
    await expect(ana.send('c', { text: 'no' })).rejects.toMatchObject({ code: 'STORAGE_FAILED' });
    expect(ana.messages('c')).toEqual([]);
    context.server.append('c', 'ben', 'shown all the same');
    await until(() => ana.messages('c').length === 1);
    full = false;
    await ana.send('c', { text: 'yes' });
    await until(() => context.server.texts('c').length === 2);
    await ana.close();
    const again = context.make('ana', { storage, token: () => Promise.reject(new Error('offline')) });
    await again.connect();
    expect(textsOf(again, 'c')).toEqual(['shown all the same', 'yes']);
  });

  it('is replaced by memory when it cannot be opened at all', async () => {
    context.server.create('c', ['ana', 'ben']);
    const broken = () => Promise.reject(new Error('forbidden'));
    const errors: string[] = [];
    const ana = context.make('ana', { storage: { get: broken, list: broken, write: broken, close: () => undefined } });
    ana.on('error', ({ code }) => errors.push(code));
    await ana.connect();
    await ana.send('c', { text: 'all the same' });
    await until(() => ana.messages('c')[0]?.status === 'sent');
    expect(errors).toEqual(['STORAGE_FAILED']);
  });
});
