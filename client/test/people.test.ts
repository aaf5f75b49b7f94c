import { memoryStorage } from '../src/index.ts';
import { ManualClock, textsOf, until, useFakeServer } from './harness.ts';

const context = useFakeServer();
const bodiesOf = (action: Parameters<typeof context.server.asked>[0]) =>
  context.server.asked(action).map(({ body }) => body as unknown);

describe('receipts', () => {
  beforeEach(() => context.server.create('c', ['ana', 'ben']));

  it('are collected into one request, and never go back', async () => {
    const clock = new ManualClock();
    const ana = await context.connect('ana', { clock, receiptDebounceMs: 2_000 });
    for (let i = 1; i <= 3; i++) context.server.append('c', 'ben', `${i}`);
    await until(() => ana.messages('c').length === 3);
    ana.markRead('c', 2);
    ana.markRead('c', 1);
    expect(ana.conversation('c')).toMatchObject({ unread: 1, readSeq: 2, deliveredSeq: 3 });
    clock.advance(1_999);
    expect(bodiesOf('receipt.set')).toEqual([]);
    clock.advance(1);
    await until(() => bodiesOf('receipt.set').length === 1);
    expect(bodiesOf('receipt.set')).toEqual([{ conversationId: 'c', deliveredSeq: 3, readSeq: 2 }]);
  });

  it('never claim more than is held', async () => {
    const ana = await context.connect('ana');
    context.server.append('c', 'ben', '1');
    await until(() => ana.messages('c').length === 1);
    ana.markRead('c', 99);
    expect(ana.conversation('c')?.readSeq).toBe(1);
  });

  it('are said again after a temporary failure', async () => {
    const ana = await context.connect('ana');
    let faults = 2;
    context.server.fault = ({ action }) => (action === 'receipt.set' && faults-- > 0 ? 'UNAVAILABLE' : undefined);
    context.server.append('c', 'ben', '1');
    await until(() => ana.messages('c').length === 1);
    ana.markRead('c');
    await until(() => context.server.conversations.get('c')?.receipts.get('ana')?.readSeq === 1);
    expect(faults).toBe(-1);
  });

  it('survive a time without connection', async () => {
    const storage = memoryStorage();
    context.server.append('c', 'ben', '1');
    const ana = await context.connect('ana', { storage, receiptDebounceMs: 60_000 });
    for (const { socket } of context.server.sockets) socket.terminate();
    ana.markRead('c');
    await until(() => ana.state === 'online' && context.server.handshakes.length === 2);
    await ana.close();
    await until(() => bodiesOf('receipt.set').length > 0);
    expect(bodiesOf('receipt.set')).toEqual([{ conversationId: 'c', deliveredSeq: 1, readSeq: 1 }]);
    const again = await context.connect('ana', { storage });
    expect(again.conversation('c')).toMatchObject({ unread: 0, readSeq: 1 });
  });

  it('are asked for after a reconnect where an own message is not read yet', async () => {
    const ana = await context.connect('ana');
    await ana.send('c', { text: 'hi' });
    await until(() => ana.messages('c')[0]?.status === 'sent');
    context.server.conversations.get('c')?.receipts.set('ben', { userId: 'ben', deliveredSeq: 1, readSeq: 1 });
    for (const { socket } of context.server.sockets) socket.terminate();
    await until(() => ana.messages('c')[0]?.status === 'read');
  });

  it('of the same user on another device count here too', async () => {
    const ana = await context.connect('ana');
    context.server.append('c', 'ben', '1');
    await until(() => ana.conversation('c')?.unread === 1);
    context.server.push('ana', {
      type: 'receipt',
      body: { conversationId: 'c', userId: 'ana', deliveredSeq: 1, readSeq: 1 },
    });
    await until(() => ana.conversation('c')?.unread === 0);
  });
});

describe('unread', () => {
  it('counts messages of others only', async () => {
    context.server.create('c', ['ana', 'ben']);
    const ana = await context.connect('ana');
    context.server.append('c', 'ben', '1');
    context.server.pushEntry('ana', context.server.appendVoid('c'));
    context.server.append('c', 'ana', 'from my other device');
    context.server.append('c', 'ben', '2');
    await until(() => ana.messages('c').length === 3);
    expect(ana.conversation('c')?.unread).toBe(2);
    await ana.send('c', { text: 'answer' });
    expect(ana.conversation('c')?.unread).toBe(0);
    await until(() => ana.messages('c').at(-1)?.status === 'sent');
    expect(ana.conversation('c')?.unread).toBe(0);
  });
});

describe('typing', () => {
  beforeEach(() => context.server.create('c', ['ana', 'ben']));

  it('is said every three seconds at most, and ended once', async () => {
    const clock = new ManualClock();
    const ana = await context.connect('ana', { clock });
    for (let i = 0; i < 7; i++) {
      ana.setTyping('c', true);
      clock.advance(1_000);
    }
    ana.setTyping('c', false);
    ana.setTyping('c', false);
    await ana.people();
    expect(bodiesOf('typing.set').map((body) => (body as { typing: boolean }).typing)).toEqual([
      true,
      true,
      true,
      false,
    ]);
  });

  it('of others ends when it says so, and with their message', async () => {
    const clock = new ManualClock();
    const ana = await context.connect('ana', { clock, requestTimeoutMs: 1_000_000 });
    const typing = () => ana.conversation('c')?.typing;
    const expiresAtMs = Date.now() + 6_000;
    const types = () =>
      context.server.push('ana', {
        type: 'typing',
        body: { conversationId: 'c', userId: 'ben', typing: true, expiresAtMs },
      });
    types();
    await until(() => typing()?.length === 1);
    expect(typing()).toEqual(['ben']);
    clock.advance(6_001);
    expect(typing()).toEqual([]);
    clock.nowMs -= 6_001;
    types();
    await until(() => typing()?.length === 1);
    context.server.append('c', 'ben', 'done');
    await until(() => ana.messages('c').length === 1);
    expect(typing()).toEqual([]);
  });
});

describe('presence', () => {
  it('is watched again on each new socket, and unknown meanwhile', async () => {
    await context.connect('ben');
    const ana = await context.connect('ana');
    ana.watchPresence(['ben', 'cleo']);
    await until(() => ana.presence('ben').state === 'online');
    expect(ana.presence('cleo').state).toBe('offline');
    expect(ana.presence('stranger').state).toBe('unknown');
    context.server.push('ana', { type: 'presence', body: { userId: 'ben', state: 'offline', lastSeenAtMs: 5 } });
    await until(() => ana.presence('ben').state === 'offline');
    expect(ana.presence('ben').lastSeenAtMs).toBe(5);
    const states: string[] = [];
    ana.on('state', () => states.push(ana.presence('ben').state));
    context.server.socketsOf('ana')[0]?.socket.terminate();
    await until(() => ana.presence('ben').state === 'online');
    expect(states[0]).toBe('unknown');
    expect(bodiesOf('presence.watch')).toHaveLength(2);
    ana.watchPresence([]);
    await until(() => context.server.asked('presence.unwatch').length === 1);
  });

  it('is watched again when the server has forgotten whom to follow', async () => {
    const clock = new ManualClock();
    await context.connect('ben');
    const ana = await context.connect('ana', { clock, requestTimeoutMs: 1_000_000 });
    ana.watchPresence(['ben']);
    await until(() => ana.presence('ben').state === 'online');
    const beat = async (): Promise<void> => {
      const before = context.server.asked('heartbeat').length;
      clock.advance(30_000);
      await until(() => context.server.asked('heartbeat').length > before);
    };
    await beat();
    expect(bodiesOf('presence.watch')).toHaveLength(1);
    context.server.watched.clear();
    await beat();
    await until(() => bodiesOf('presence.watch').length === 2);
  });
});

describe('conversations', () => {
  it('are created once, however often the request must be repeated', async () => {
    await context.connect('ben');
    const ana = await context.connect('ana');
    let faults = 2;
    context.server.fault = ({ action }) => (action === 'conversation.create' && faults-- > 0 ? 'gateway' : undefined);
    const group = await ana.createGroup({ title: 'Us', memberIds: ['ben'] });
    expect(group).toMatchObject({ type: 'group', memberCount: 2 });
    expect(new Set(bodiesOf('conversation.create').map((body) => JSON.stringify(body))).size).toBe(1);
    const direct = await ana.createDirect('ben');
    expect((await ana.createDirect('ben')).conversationId).toBe(direct.conversationId);
    expect(ana.conversations).toHaveLength(2);
  });

  it('become known by their first entry when nothing else has told', async () => {
    const ana = await context.connect('ana');
    context.server.create('new', ['ana', 'ben']);
    const shown: string[] = [];
    ana.on('message', ({ text }) => shown.push(text));
    context.server.append('new', 'ben', 'one');
    context.server.append('new', 'ben', 'two');
    await until(() => ana.messages('new').length === 2);
    expect(textsOf(ana, 'new')).toEqual(['one', 'two']);
    expect(shown).toEqual(['one', 'two']);
  });

  it('stand in the order of their newest message', async () => {
    context.server.create('a', ['ana', 'ben']);
    context.server.create('b', ['ana', 'ben']);
    const ana = await context.connect('ana');
    const order = () => ana.conversations.map(({ conversationId }) => conversationId);
    context.server.append('b', 'ben', '1');
    await until(() => ana.messages('b').length === 1);
    expect(order()).toEqual(['b', 'a']);
    context.server.append('a', 'ben', '1');
    context.server.append('a', 'ben', '2');
    await until(() => ana.messages('a').length === 2);
    expect(order()).toEqual(['a', 'b']);
  });

  it('are the same objects until something changes, and change is told once', async () => {
    context.server.create('c', ['ana', 'ben']);
    const ana = await context.connect('ana');
    const before = [ana.conversations, ana.messages('c'), ana.conversation('c')];
    expect([ana.conversations, ana.messages('c'), ana.conversation('c')].map((now, i) => now === before[i])).toEqual([
      true,
      true,
      true,
    ]);
    await Promise.resolve();
    let changes = 0;
    ana.on('change', () => changes++);
    context.server.live = false;
    const entries = [1, 2, 3].map((i) => context.server.append('c', 'ben', `${i}`));
    context.server.pushEntry('ana', ...entries);
    await until(() => ana.messages('c').length === 3);
    expect(changes).toBe(1);
    expect(ana.messages('c')).not.toBe(before[1]);
  });

  it('end when the server says that the user was removed', async () => {
    context.server.create('c', ['ana', 'ben']);
    const ana = await context.connect('ana');
    const conversation = context.server.conversationFor('c', 'ana');
    context.server.push('ana', { type: 'conversation', body: { change: 'removed', conversation } });
    await until(() => ana.conversations.length === 0);
  });
});

describe('a loop over entries', () => {
  it('gives new messages of the wanted conversation, in order, until it breaks off', async () => {
    context.server.create('c', ['ana', 'ben']);
    context.server.create('d', ['ana', 'ben']);
    context.server.append('c', 'ben', 'old');
    const ana = await context.connect('ana');
    const texts: string[] = [];
    const reading = (async () => {
      for await (const message of ana.entries({ conversationId: 'c' })) {
        texts.push(message.text);
        if (texts.length === 3) break;
      }
    })();
    context.server.append('d', 'ben', 'other');
    for (const text of ['1', '2']) context.server.append('c', 'ben', text);
    await ana.send('c', { text: 'own' });
    await reading;
    expect(texts).toHaveLength(3);
    expect([...texts].sort()).toEqual(['1', '2', 'own']);
  });
});
