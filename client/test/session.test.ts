import { memoryStorage, ParleyError, type ClientState } from '../src/index.ts';
import { ManualClock, textsOf, until, useFakeServer } from './harness.ts';

const context = useFakeServer();

describe('connecting', () => {
  it('hands over the token as a sub-protocol and the device id in the query, the same one after a reload', async () => {
    const storage = memoryStorage();
    const first = await context.connect('ana', { storage });
    expect(first.state).toBe('online');
    expect(first.userId).toBe('ana');
    expect(context.server.socketsOf('ana')[0]).toMatchObject({ token: 'ana', deviceId: first.deviceId });
    await first.close();
    const second = await context.connect('ana', { storage });
    expect(second.deviceId).toBe(first.deviceId);
  });

  it('starts the session first, then beats at once', async () => {
    await context.connect('ana');
    await until(() => context.server.requests.length >= 2);
    expect(context.server.requests.slice(0, 2).map(({ action }) => action)).toEqual(['session.start', 'heartbeat']);
  });

  it('keeps the events that overtake the first answer', async () => {
    context.server.create('c', ['ana', 'ben']);
    context.server.fault = (request) => {
      // Whatever else could fetch the entry gets no answer.
      if (request.action !== 'session.start') return 'silence';
      const answer = context.server.answer(request) as object;
      context.server.append('c', 'ben', 'early');
      context.server.reply(request, answer);
      return 'done';
    };
    const ana = await context.connect('ana', { requestTimeoutMs: 200 });
    expect(textsOf(ana, 'c')).toEqual(['early']);
  });

  it('asks for a new token after a refused handshake', async () => {
    context.server.refusals = [401];
    const asked: boolean[] = [];
    const errors: ParleyError[] = [];
    const ana = context.make('ana', {
      token: ({ refused }) => {
        asked.push(refused);
        return `ana.${asked.length}`;
      },
    });
    ana.on('error', (error) => errors.push(error));
    await ana.connect();
    expect(ana.state).toBe('offline');
    await until(() => ana.state === 'online');
    expect(asked).toEqual([false, true]);
    expect(context.server.handshakes.map(({ token }) => token)).toEqual(['ana.1', 'ana.2']);
    expect(errors.map(({ code }) => code)).toEqual(['CONNECT_FAILED']);
  });

  it('does not blame the token for a server that is busy', async () => {
    context.server.refusals = [429, 503];
    const asked: boolean[] = [];
    const ana = context.make('ana', { token: ({ refused }) => (asked.push(refused), 'ana') });
    await ana.connect();
    await until(() => ana.state === 'online');
    expect(asked).toEqual([false, false, false]);
  });

  it('goes on when the token function fails', async () => {
    let calls = 0;
    const ana = context.make('ana', {
      token: () => (++calls === 1 ? Promise.reject(new Error('issuer down')) : Promise.resolve('ana')),
    });
    await ana.connect();
    expect(ana.state).toBe('offline');
    await until(() => ana.state === 'online');
  });

  it('gets a new token and goes on when the token runs out', async () => {
    const asked: boolean[] = [];
    const ana = await context.connect('ana', { token: ({ refused }) => (asked.push(refused), 'ana') });
    context.server.create('c', ['ana', 'ben']);
    const { conversationId } = await ana.createDirect('ben');
    let expired = true;
    context.server.fault = ({ action }) => {
      if (action !== 'message.send' || !expired) return undefined;
      expired = false;
      return 'TOKEN_EXPIRED';
    };
    await ana.send(conversationId, { text: 'hi' });
    await until(() => ana.messages(conversationId)[0]?.status === 'sent');
    expect(asked).toEqual([false, true]);
  });

  it('waits longer with each failure, and within the bounds', async () => {
    const clock = new ManualClock();
    const ana = context.make('ana', {
      clock,
      backoffMinMs: 100,
      backoffMaxMs: 1_000,
      token: () => Promise.reject(new Error('no')),
    });
    let failures = 0;
    ana.on('error', () => failures++);
    await ana.connect();
    // With a chance of 0.5: half of 100, 200, 400, 800, then half of the cap.
    for (const [i, waitMs] of [50, 100, 200, 400, 500, 500].entries()) {
      expect(failures).toBe(i + 1);
      clock.advance(waitMs - 1);
      await new Promise((resolve) => setImmediate(resolve));
      expect(failures).toBe(i + 1);
      clock.advance(1);
      await until(() => failures === i + 2);
    }
  });
});

describe('a lost connection', () => {
  beforeEach(() => context.server.create('c', ['ana', 'ben']));

  it('is made again, and what was missed is shown in order', async () => {
    const ana = await context.connect('ana');
    const states: ClientState[] = [];
    ana.on('state', (state) => states.push(state));
    context.server.append('c', 'ben', 'before');
    await until(() => ana.messages('c').length === 1);
    context.server.live = false;
    for (const { socket } of context.server.sockets) socket.terminate();
    for (let i = 0; i < 130; i++) context.server.append('c', 'ben', `${i}`);
    await until(() => ana.messages('c').length === 131);
    expect(textsOf(ana, 'c')).toEqual(context.server.texts('c'));
    expect(states.at(-1)).toBe('online');
    expect(ana.conversation('c')?.unread).toBe(131);
  });

  it('is made again in turn: at a random moment of the spread, at once when something is to be sent', async () => {
    const clock = new ManualClock();
    const options = { clock, backoffMinMs: 100, reconnectSpreadMs: 5_000 };
    const [idle, busy] = [await context.connect('ana', options), await context.connect('ben', options)];
    await until(() => context.server.asked('heartbeat').length === 2);
    for (const { socket } of context.server.sockets) socket.terminate();
    await until(() => [idle, busy].every(({ state }) => state === 'connecting'));
    await busy.send('c', { text: 'hi' });
    await new Promise((resolve) => setImmediate(resolve));
    // With a chance of 0.5: half of twice the least backoff, or less.
    clock.advance(100);
    await until(() => busy.state === 'online');
    // Half of the spread.
    clock.advance(2_399);
    await new Promise((resolve) => setImmediate(resolve));
    expect(context.server.socketsOf('ana')).toHaveLength(0);
    clock.advance(1);
    await until(() => idle.state === 'online');
  });

  it('is noticed when an answer does not come', async () => {
    const clock = new ManualClock();
    const ana = await context.connect('ana', { clock, requestTimeoutMs: 1_000 });
    await until(() => context.server.asked('heartbeat').length === 1);
    context.server.fault = ({ action }) => (action === 'workspace.members' ? 'silence' : undefined);
    const [dead] = context.server.socketsOf('ana');
    const asked = ana.request('workspace.members', {});
    asked.catch(() => undefined);
    await until(() => context.server.asked('workspace.members').length === 1);
    clock.advance(1_000);
    await expect(asked).rejects.toMatchObject({ code: 'OFFLINE', temporary: true });
    clock.advance(10);
    await until(() => ana.state === 'online' && context.server.socketsOf('ana').every((one) => one !== dead));
  });

  it('leaves out what the user is no member of any more', async () => {
    context.server.create('gone', ['ana', 'ben']);
    const ana = await context.connect('ana');
    expect(ana.conversations).toHaveLength(2);
    context.server.conversations.delete('gone');
    for (const { socket } of context.server.sockets) socket.terminate();
    await until(() => ana.conversation('gone') === undefined);
    expect(ana.conversations.map(({ conversationId }) => conversationId)).toEqual(['c']);
  });
});

describe('the cursors of a session', () => {
  const cursorsAt = (start: number) =>
    Object.keys((context.server.asked('session.start').at(start)!.body as { cursors: object }).cursors);

  it('leave room in the frame, however many conversations there are, and none is lost by it', async () => {
    const ids = Array.from({ length: 400 }, (_, i) => `${'c'.repeat(60)}${i}`);
    for (const id of ids) {
      context.server.create(id, ['ana', 'ben']);
      context.server.append(id, 'ben', 'hi');
    }
    const ana = await context.connect('ana');
    context.server.socketsOf('ana')[0]?.socket.terminate();
    await until(() => ana.state !== 'online');
    await until(() => ana.state === 'online');
    const { action, id, body } = context.server.asked('session.start')[1]!;
    expect(JSON.stringify({ action, id, body }).length).toBeLessThan(32 * 1024);
    expect(cursorsAt(1).length).toBeGreaterThan(100);
    expect(cursorsAt(1).length).toBeLessThan(400);
    expect(ana.conversations).toHaveLength(400);
    expect(textsOf(ana, ids[0]!)).toEqual(['hi']);
  });

  it('may be refused: what the answer without them does not name went away', async () => {
    for (const id of ['c', 'gone']) {
      context.server.create(id, ['ana', 'ben']);
      context.server.append(id, 'ben', 'hi');
    }
    const ana = await context.connect('ana');
    context.server.conversations.delete('gone');
    context.server.fault = ({ action, body }) =>
      action === 'session.start' && 'c' in (body as { cursors: object }).cursors ? 'INVALID_CURSOR' : undefined;
    context.server.socketsOf('ana')[0]?.socket.terminate();
    await until(() => context.server.asked('session.start').length === 3 && ana.state === 'online');
    expect(cursorsAt(2)).toEqual([]);
    expect(ana.conversations.map(({ conversationId }) => conversationId)).toEqual(['c']);
  });

  it('name no conversation of which only the head is known; not answered, it went away', async () => {
    for (const id of ['c', 'gone']) {
      context.server.create(id, ['ana', 'ben']);
      context.server.append(id, 'ben', 'hi');
    }
    const storage = memoryStorage();
    await (await context.connect('ana', { storage })).close();
    // Another tab has thinned out all its entries.
    const keys = (await storage.list('u/ana/e/gone/')).map(([key]) => ({ delete: key }));
    expect(keys).toHaveLength(1);
    await storage.write(keys);
    context.server.conversations.delete('gone');
    const ana = await context.connect('ana', { storage });
    expect(cursorsAt(-1)).toEqual(['c']);
    expect(ana.conversations.map(({ conversationId }) => conversationId)).toEqual(['c']);
  });
});

describe('rotation', () => {
  beforeEach(() => context.server.create('c', ['ana', 'ben']));

  it('overlaps: nothing is lost and nothing shown twice', async () => {
    let tokens = 0;
    const ana = await context.connect('ana', { token: () => `ana.${++tokens}` });
    const shown: string[] = [];
    const states: ClientState[] = [];
    ana.on('message', ({ text }) => shown.push(text));
    ana.on('state', (state) => states.push(state));
    for (let i = 0; i < 60; i++) {
      context.server.append('c', 'ben', `${i}`);
      if (i === 20 || i === 40) context.server.push('ana', { type: 'session', body: { change: 'rotate', afterMs: 1 } });
      if (i % 5 === 0) await ana.send('c', { text: `own ${i}` });
      await new Promise((resolve) => setImmediate(resolve));
    }
    await until(() => tokens === 3 && context.server.socketsOf('ana').length === 1);
    await until(() => ana.messages('c').filter(({ seq }) => seq).length === 72);
    expect(shown).toEqual(context.server.texts('c'));
    expect(textsOf(ana, 'c')).toEqual(context.server.texts('c'));
    expect(states).toEqual([]);
    expect(context.server.asked('session.end')).toHaveLength(2);
    expect(context.server.socketsOf('ana')[0]?.token).toBe('ana.3');
  });

  it('comes before the socket ends, spread by jitter', async () => {
    const clock = new ManualClock();
    clock.chance = 0;
    const ana = await context.connect('ana', { clock, rotateBeforeMs: 300_000, requestTimeoutMs: 10_000_000 });
    await until(() => context.server.asked('heartbeat').length === 1);
    // 2 h less half of the 5 minutes, for the lowest chance.
    const beats = () => context.server.asked('heartbeat').length;
    for (let ms = 0; ms < 7_050_000 - 30_000; ms += 30_000) {
      const before = beats();
      clock.advance(30_000);
      await until(() => beats() > before);
    }
    expect(context.server.handshakes).toHaveLength(1);
    clock.advance(30_000);
    await until(() => context.server.handshakes.length === 2);
    await until(() => context.server.socketsOf('ana').length === 1);
    expect(ana.state).toBe('online');
  });

  it('keeps the old socket when the new one is refused', async () => {
    const ana = await context.connect('ana');
    context.server.refusals = [503];
    context.server.push('ana', { type: 'session', body: { change: 'rotate', afterMs: 0 } });
    await until(() => context.server.handshakes.length >= 2);
    context.server.append('c', 'ben', 'meanwhile');
    await until(() => textsOf(ana, 'c').includes('meanwhile'));
    await until(() => context.server.handshakes.length === 3 && context.server.asked('session.end').length === 1);
    expect(ana.state).toBe('online');
  });

  it('repeats on the new socket what the old one never answered', async () => {
    const ana = await context.connect('ana', { requestTimeoutMs: 100 });
    context.server.fault = ({ action }) => (action === 'message.send' ? 'silence' : undefined);
    await ana.send('c', { text: 'hi' });
    await until(() => context.server.asked('message.send').length === 1);
    context.server.push('ana', { type: 'session', body: { change: 'rotate', afterMs: 0 } });
    await until(() => context.server.socketsOf('ana').length === 2);
    context.server.fault = () => undefined;
    await until(() => ana.messages('c')[0]?.status === 'sent');
    expect(ana.state).toBe('online');
    expect(context.server.texts('c')).toEqual(['hi']);
  });

  it('asks for a new token when the session was revoked', async () => {
    const asked: boolean[] = [];
    const ana = await context.connect('ana', { token: ({ refused }) => (asked.push(refused), 'ana') });
    context.server.push('ana', { type: 'session', body: { change: 'revoked' } });
    await until(() => asked.length === 2 && ana.state === 'online');
    expect(asked).toEqual([false, true]);
  });
});

describe('the network of the device', () => {
  it('is watched: offline at once, and online again without waiting for the backoff', async () => {
    const signal = new EventTarget();
    const clock = new ManualClock();
    const ana = await context.connect('ana', { onlineSignal: signal, clock });
    signal.dispatchEvent(new Event('offline'));
    expect(ana.state).toBe('offline');
    await until(() => context.server.sockets.size === 0);
    clock.advance(60_000);
    expect(context.server.handshakes).toHaveLength(1);
    signal.dispatchEvent(new Event('online'));
    await until(() => ana.state === 'online');
  });
});

describe('closing', () => {
  it('ends the presence and leaves no timer and no socket', async () => {
    const clock = new ManualClock();
    context.server.create('c', ['ana', 'ben']);
    const ana = await context.connect('ana', { clock });
    context.server.append('c', 'ben', 'hi');
    await until(() => ana.messages('c').length === 1);
    ana.markRead('c');
    const loop = ana.entries();
    await ana.close();
    expect(context.server.asked('receipt.set').map(({ body }) => body)).toEqual([
      { conversationId: 'c', deliveredSeq: 1, readSeq: 1 },
    ]);
    expect(context.server.requests.at(-1)?.action).toBe('session.end');
    await until(() => context.server.sockets.size === 0);
    expect(clock.waiting).toBe(0);
    expect(ana.state).toBe('closed');
    expect(await loop.next()).toEqual({ done: true, value: undefined });
    await expect(ana.connect()).rejects.toMatchObject({ code: 'CLOSED' });
    await expect(ana.send('c', { text: 'x' })).rejects.toMatchObject({ code: 'CLOSED' });
  });

  it('is possible at any moment of connecting', async () => {
    const clock = new ManualClock();
    const never = context.make('ana', { clock, token: () => new Promise<string>(() => undefined) });
    void never.connect();
    await never.close();
    const early = context.make('ana', { clock });
    void early.connect();
    await early.close();
    await until(() => context.server.sockets.size === 0);
    expect(clock.waiting).toBe(0);
  });
});
