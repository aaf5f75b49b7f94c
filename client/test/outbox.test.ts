import { memoryStorage, type Clock, type Message } from '../src/index.ts';
import type { Fault } from './fake-server.ts';
import { ManualClock, textsOf, until, useFakeServer } from './harness.ts';

const context = useFakeServer();
const textOf = (request: { body: never }): string => (request.body as { content: { text: string } }).content.text;
const keyOf = (request: { body: never }): string => (request.body as { clientMessageId: string }).clientMessageId;

describe('a message', () => {
  beforeEach(() => context.server.create('c', ['ana', 'ben']));

  it('is queued, then sent, under one key and shown once', async () => {
    const ana = await context.connect('ana');
    const told: Message[] = [];
    ana.on('outbox', (message) => told.push(message));
    const queued = await ana.send('c', { text: 'hi', mentions: ['ben'] });
    expect(queued).toMatchObject({ status: 'queued', mine: true, text: 'hi', senderId: 'ana' });
    await until(() => told.length === 2);
    expect(told.map(({ status, key }) => [status, key])).toEqual([
      ['queued', queued.key],
      ['sent', queued.key],
    ]);
    expect(ana.messages('c')).toEqual([expect.objectContaining({ key: queued.key, status: 'sent', seq: 1 })]);
    expect(ana.conversation('c')?.unread).toBe(0);
  });

  it('becomes delivered and read when every other member says so', async () => {
    context.server.create('g', ['ana', 'ben', 'cleo'], 'group');
    const ana = await context.connect('ana');
    const ben = await context.connect('ben');
    const cleo = await context.connect('cleo');
    await ana.send('g', { text: 'hi' });
    const status = () => ana.messages('g')[0]?.status;
    await until(() => status() === 'delivered');
    ben.markRead('g');
    await until(() => ana.conversation('g')?.receipts.get('ben')?.readSeq === 1);
    expect(status()).toBe('delivered');
    cleo.markRead('g');
    await until(() => status() === 'read');
  });

  it('goes out in the order of writing, one at a time', async () => {
    const ana = await context.connect('ana');
    const texts = Array.from({ length: 20 }, (_, i) => `${i}`);
    await Promise.all(texts.map((text) => ana.send('c', { text })));
    await until(() => context.server.texts('c').length === 20);
    expect(context.server.texts('c')).toEqual(texts);
    await until(() => ana.messages('c').every(({ status }) => status === 'sent'));
    expect(textsOf(ana, 'c')).toEqual(texts);
  });

  it.each<[string, Fault]>([
    ['the server is busy', 'UNAVAILABLE'],
    ['there are too many', 'RATE_LIMITED'],
    ['the server fails', 'INTERNAL'],
    ['the gateway only says that something failed', 'gateway'],
  ])('is repeated with the same key when %s, before the next one goes', async (_, fault) => {
    let left = 2;
    context.server.fault = ({ action }) => (action === 'message.send' && left-- > 0 ? fault : undefined);
    const ana = await context.connect('ana');
    await ana.send('c', { text: 'first' });
    await ana.send('c', { text: 'second' });
    await until(() => context.server.texts('c').length === 2);
    expect(context.server.texts('c')).toEqual(['first', 'second']);
    const sends = context.server.asked('message.send');
    expect(sends.map(textOf)).toEqual(['first', 'first', 'first', 'second']);
    expect(new Set(sends.map(keyOf)).size).toBe(2);
  });

  it('has one effect when the answer is lost with the connection', async () => {
    const ana = await context.connect('ana');
    context.server.fault = (request) => {
      if (request.action !== 'message.send') return undefined;
      context.server.fault = () => undefined;
      // The server has stored it, and nobody hears of it.
      context.server.answer(request);
      request.from.socket.terminate();
      return 'done';
    };
    await ana.send('c', { text: 'once' });
    await until(() => ana.messages('c')[0]?.status === 'sent');
    expect(context.server.texts('c')).toEqual(['once']);
    expect(textsOf(ana, 'c')).toEqual(['once']);
  });

  it('is shown once when it comes in as an event before its answer', async () => {
    context.server.echo = true;
    const ana = await context.connect('ana');
    const shown: string[] = [];
    ana.on('message', ({ text }) => shown.push(text));
    for (const text of ['a', 'b', 'c']) await ana.send('c', { text });
    await until(() => ana.messages('c').length === 3 && ana.messages('c').every(({ status }) => status === 'sent'));
    expect(textsOf(ana, 'c')).toEqual(['a', 'b', 'c']);
    expect(shown).toEqual(['a', 'b', 'c']);
  });

  it('stays in sight while the numbers before it are unknown', async () => {
    context.server.live = false;
    context.server.pending.add('c/1');
    const ana = await context.connect('ana');
    context.server.append('c', 'ben', 'late');
    await ana.send('c', { text: 'mine' });
    await until(() => ana.messages('c')[0]?.status === 'sent');
    expect(textsOf(ana, 'c')).toEqual(['mine']);
    context.server.pending.clear();
    await until(() => ana.messages('c').length === 2);
    expect(textsOf(ana, 'c')).toEqual(['late', 'mine']);
  });
});

describe('a message that the server refuses', () => {
  beforeEach(() => context.server.create('c', ['ana', 'ben']));

  async function failed(code: Fault) {
    let refuse = true;
    context.server.fault = ({ action }) => (action === 'message.send' && refuse ? code : undefined);
    const ana = await context.connect('ana');
    const { key } = await ana.send('c', { text: 'bad' });
    await until(() => ana.messages('c')[0]?.status === 'failed');
    refuse = false;
    return { ana, key };
  }

  it('is failed with the typed error, and does not hold up the next', async () => {
    const { ana } = await failed('FORBIDDEN');
    expect(ana.messages('c')[0]?.error).toMatchObject({ code: 'FORBIDDEN', temporary: false, remediation: 'do' });
    await ana.send('c', { text: 'good' });
    await until(() => context.server.texts('c').length === 1);
    expect(context.server.texts('c')).toEqual(['good']);
  });

  it('can be tried again with the same key', async () => {
    const { ana, key } = await failed('FORBIDDEN');
    await ana.retry(key);
    await until(() => ana.messages('c')[0]?.status === 'sent');
    expect(ana.messages('c')[0]?.key).toBe(key);
  });

  it('gets a new key when the old one belongs to another message', async () => {
    const { ana, key } = await failed('CONFLICT');
    const again = await ana.retry(key);
    expect(again.key).not.toBe(key);
    await until(() => ana.messages('c')[0]?.status === 'sent');
    expect(textsOf(ana, 'c')).toEqual(['bad']);
  });

  it('can be taken away', async () => {
    const { ana, key } = await failed('FORBIDDEN');
    await ana.discard(key);
    expect(ana.messages('c')).toEqual([]);
    await expect(ana.discard(key)).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });

  it('is refused at once when no server would take it', async () => {
    const ana = await context.connect('ana');
    await expect(ana.send('c', { text: '' })).rejects.toMatchObject({ code: 'VALIDATION_FAILED' });
    await expect(ana.send('c', { text: 'a\0b' })).rejects.toMatchObject({ code: 'VALIDATION_FAILED' });
    await expect(ana.send('c', { text: 'ä'.repeat(8_193) })).rejects.toMatchObject({ code: 'PAYLOAD_TOO_LARGE' });
    await expect(ana.send('other', { text: 'x' })).rejects.toMatchObject({ code: 'NOT_FOUND' });
    expect(ana.messages('c')).toEqual([]);
  });

  it('fails instead of closing the socket when its frame would be too large', async () => {
    const ana = await context.connect('ana');
    await ana.send('c', { text: '\u0001'.repeat(16_000) });
    await until(() => ana.messages('c')[0]?.status === 'failed');
    expect(ana.messages('c')[0]?.error?.code).toBe('PAYLOAD_TOO_LARGE');
    expect(ana.state).toBe('online');
  });
});

describe('a reload', () => {
  beforeEach(() => context.server.create('c', ['ana', 'ben']));

  it('in the middle of a send has one effect', async () => {
    const storage = memoryStorage();
    const before = await context.connect('ana', { storage });
    context.server.fault = ({ action }) => (action === 'message.send' ? 'silence' : undefined);
    await before.send('c', { text: 'one' });
    await before.send('c', { text: 'two' });
    await until(() => context.server.asked('message.send').length === 1);
    context.server.fault = () => undefined;
    // A page that is reloaded says nothing: its socket just ends.
    for (const { socket } of context.server.sockets) socket.terminate();

    const after = context.make('ana', { storage });
    await after.connect();
    await until(() => after.messages('c').length === 2 && after.messages('c').every(({ status }) => status === 'sent'));
    expect(context.server.texts('c')).toEqual(['one', 'two']);
    expect(textsOf(after, 'c')).toEqual(['one', 'two']);
  });

  it('keeps the order of writing when the clock was set back in between', async () => {
    const storage = memoryStorage();
    let nowMs = Date.now();
    const clock: Clock = {
      now: () => nowMs,
      random: Math.random,
      setTimeout: (run, afterMs) => setTimeout(run, afterMs),
      clearTimeout: (handle) => clearTimeout(handle as NodeJS.Timeout),
    };
    context.server.fault = ({ action }) => (action === 'message.send' ? 'silence' : undefined);
    const before = await context.connect('ana', { storage, clock });
    for (const text of ['first', 'second', 'third']) {
      await before.send('c', { text });
      nowMs -= 3_600_000;
    }
    const after = context.make('ana', { storage, token: () => Promise.reject(new Error('no network')) });
    await after.connect();
    expect(textsOf(after, 'c')).toEqual(['first', 'second', 'third']);
  });

  it('shows what waits before there is a connection', async () => {
    const storage = memoryStorage();
    context.server.fault = ({ action }) => (action === 'message.send' ? 'silence' : undefined);
    const before = await context.connect('ana', { storage });
    await before.send('c', { text: 'waits' });
    const offline = context.make('ana', { storage, token: () => Promise.reject(new Error('no network')) });
    await offline.connect();
    expect(offline.messages('c')).toEqual([expect.objectContaining({ text: 'waits', status: 'queued' })]);
    expect(offline.userId).toBe('ana');
    expect(offline.state).toBe('offline');
  });
});

describe('two tabs with one storage', () => {
  it('lose nothing and send each message once', async () => {
    context.server.create('c', ['ana', 'ben']);
    const storage = memoryStorage();
    const one = await context.connect('ana', { storage });
    const two = await context.connect('ana', { storage });
    expect(two.deviceId).toBe(one.deviceId);
    const texts = Array.from({ length: 20 }, (_, i) => `${i}`);
    await Promise.all(texts.map((text, i) => (i % 2 === 0 ? one : two).send('c', { text })));
    await until(() => context.server.texts('c').length === 20);
    await until(() => [one, two].every((tab) => tab.messages('c').filter(({ seq }) => seq).length === 20));
    expect(textsOf(one, 'c')).toEqual(context.server.texts('c'));
    expect(textsOf(two, 'c')).toEqual(context.server.texts('c'));
    const third = await context.connect('ana', { storage });
    expect(textsOf(third, 'c')).toEqual(context.server.texts('c'));
    expect(new Set(textsOf(third, 'c')).size).toBe(20);
  });

  it('send what a closed one left behind', async () => {
    context.server.create('c', ['ana', 'ben']);
    const storage = memoryStorage();
    const two = await context.connect('ana', { storage });
    const clock = new ManualClock();
    const one = await context.connect('ana', { storage, clock });
    context.server.fault = ({ action }) => (action === 'message.send' ? 'silence' : undefined);
    await one.send('c', { text: 'left' });
    let closed = false;
    void one.close().then(() => (closed = true));
    await until(() => (clock.advance(1_000), closed));
    context.server.fault = () => undefined;
    context.server.socketsOf('ana')[0]?.socket.terminate();
    await until(() => two.messages('c')[0]?.status === 'sent');
    expect(context.server.texts('c')).toEqual(['left']);
  });
});
