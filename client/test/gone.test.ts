import { WebSocket } from 'ws';
import { startLocalApp, type LocalApp } from '../../local/embedded/app.ts';
import { memoryStorage, ParleyClient, type ClientOptions } from '../src/index.ts';
import { textsOf, until, useFakeServer } from './harness.ts';

describe('a server that comes back with nothing', () => {
  let app: LocalApp;
  const clients: ParleyClient[] = [];
  afterEach(async () => {
    await Promise.all(clients.splice(0).map((client) => client.close()));
    await app.close();
  });

  async function join(userId: string): Promise<ParleyClient> {
    const client = new ParleyClient({
      url: app.socketUrl,
      storage: memoryStorage(),
      webSocket: WebSocket,
      backoffMinMs: 5,
      backoffMaxMs: 50,
      reconnectSpreadMs: 50,
      token: async () => {
        const reply = await fetch(`${app.url}/dev/token`, { method: 'POST', body: JSON.stringify({ userId }) });
        return ((await reply.json()) as { token: string }).token;
      },
    });
    clients.push(client);
    await client.connect();
    return client;
  }

  it('is sent what was written in a direct conversation meanwhile, as if nothing had happened', async () => {
    app = await startLocalApp();
    const [ana, ben] = [await join('ana'), await join('ben')];
    const { conversationId: id } = await ana.createDirect('ben');
    for (const text of ['a', 'b', 'c']) await ana.send(id, { text });
    await until(() => textsOf(ben, id).length === 3 && ana.messages(id).every(({ seq }) => seq !== undefined));

    await app.close();
    await until(() => ana.state !== 'online' && ben.state !== 'online');
    for (const text of ['one', 'two']) await ana.send(id, { text });
    expect(ana.messages(id).slice(-2)).toMatchObject([{ status: 'queued' }, { status: 'queued' }]);
    app = await startLocalApp({ port: app.port });

    await until(() => [ana, ben].every((client) => textsOf(client, id).join() === 'one,two'));
    await until(() => ana.messages(id).every(({ seq }) => seq !== undefined));
    expect(ana.conversation(id)).toMatchObject({ gone: false, headSeq: 2 });
    expect(ben.conversation(id)).toMatchObject({ gone: false, unread: 2 });
  });
});

describe('a conversation that is gone', () => {
  const context = useFakeServer();

  /** Ana has written two messages without a connection; meanwhile the server has lost the conversation. */
  async function lost(type: 'direct' | 'group', options: Partial<ClientOptions> = {}) {
    context.server.create('c', ['ana', 'ben'], type);
    context.server.append('c', 'ben', 'old');
    const signal = new EventTarget();
    const ana = await context.connect('ana', { onlineSignal: signal, ...options });
    signal.dispatchEvent(new Event('offline'));
    const [one, two] = [await ana.send('c', { text: 'one' }), await ana.send('c', { text: 'two' })];
    context.server.conversations.delete('c');
    return { ana, one, two, comeBack: () => signal.dispatchEvent(new Event('online')) };
  }
  const failuresOf = (ana: ParleyClient) => ana.messages('c').filter(({ status }) => status === 'failed');

  it('stays while messages in it are not sent, which say why, and leaves when the last is discarded', async () => {
    const { ana, one, two, comeBack } = await lost('group');
    const changes: string[] = [];
    ana.on('conversation', ({ change }) => changes.push(change));
    comeBack();
    await until(() => failuresOf(ana).length === 2);
    expect(textsOf(ana, 'c')).toEqual(['old', 'one', 'two']);
    expect(failuresOf(ana)[0]?.error).toMatchObject({ code: 'NOT_FOUND', remediation: 'do' });
    expect(ana.conversations).toEqual([expect.objectContaining({ gone: true, unread: 0, hasOlder: false })]);
    expect(changes).toEqual(['removed']);
    await ana.discard(one.key);
    expect(textsOf(ana, 'c')).toEqual(['old', 'two']);
    await ana.discard(two.key);
    expect(ana.conversations).toEqual([]);
    expect(ana.conversation('c')).toBeUndefined();
  });

  it('is still there after a reload, and is not asked about again', async () => {
    const storage = memoryStorage();
    const { ana, one, two, comeBack } = await lost('group', { storage });
    comeBack();
    await until(() => failuresOf(ana).length === 2);
    await ana.close();
    const again = await context.connect('ana', { storage });
    expect(textsOf(again, 'c')).toEqual(['old', 'one', 'two']);
    expect(again.conversation('c')?.gone).toBe(true);
    expect(context.server.asked('session.start').at(-1)?.body).toEqual({ cursors: {} });
    for (const { key } of [one, two]) await again.discard(key);
    await again.close();
    expect(await storage.list('u/ana/')).toEqual([]);
  });

  it('stays for what another tab of the user has queued', async () => {
    const storage = memoryStorage();
    context.server.create('c', ['ana', 'ben'], 'group');
    const other = await context.connect('ana', { storage });
    const { comeBack } = await lost('group', { storage });
    for (const { socket } of context.server.sockets) socket.terminate();
    await until(() => failuresOf(other).length === 2);
    expect(other.conversation('c')?.gone).toBe(true);
    comeBack();
  });

  it('takes the messages when it comes back, and shows its new log alone', async () => {
    const { ana, one, two, comeBack } = await lost('group');
    comeBack();
    await until(() => failuresOf(ana).length === 2);
    context.server.create('c', ['ana', 'ben'], 'group');
    for (const { socket } of context.server.sockets) socket.terminate();
    await until(() => ana.conversation('c')?.gone === false);
    for (const { key } of [one, two]) await ana.retry(key);
    await until(() => context.server.texts('c').length === 2 && textsOf(ana, 'c').length === 2);
    expect(textsOf(ana, 'c')).toEqual(['one', 'two']);
  });

  it('keeps what the server refused when the user is removed', async () => {
    context.server.create('c', ['ana', 'ben'], 'group');
    const ana = await context.connect('ana');
    context.server.fault = ({ action }) => (action === 'message.send' ? 'FORBIDDEN' : undefined);
    await ana.send('c', { text: 'unheard' });
    await until(() => failuresOf(ana).length === 1);
    const conversation = context.server.conversationFor('c', 'ana');
    context.server.push('ana', { type: 'conversation', body: { change: 'removed', conversation } });
    await until(() => ana.conversation('c')?.gone === true);
    expect(textsOf(ana, 'c')).toEqual(['unheard']);
  });

  it('begins anew for what is queued in a direct one, once the other member is there again', async () => {
    let absent = 2;
    context.server.fault = ({ action }) => (action === 'conversation.create' && absent-- > 0 ? 'NOT_FOUND' : undefined);
    // The fake server makes this id of the two members.
    context.server.create('ana-ben', ['ana', 'ben']);
    const signal = new EventTarget();
    const ana = await context.connect('ana', { onlineSignal: signal });
    signal.dispatchEvent(new Event('offline'));
    for (const text of ['one', 'two']) await ana.send('ana-ben', { text });
    context.server.conversations.delete('ana-ben');
    signal.dispatchEvent(new Event('online'));
    await until(() => context.server.conversations.get('ana-ben')?.headSeq === 2);
    await until(() => ana.messages('ana-ben').every(({ status }) => status === 'sent'));
    expect(textsOf(ana, 'ana-ben')).toEqual(['one', 'two']);
    expect(context.server.asked('conversation.create')).toHaveLength(3);
  });

  it('is not made anew when the other member stays away: the messages fail in sight', async () => {
    context.server.fault = ({ action }) => (action === 'conversation.create' ? 'NOT_FOUND' : undefined);
    const { ana, comeBack } = await lost('direct');
    comeBack();
    await until(() => failuresOf(ana).length === 2);
    expect(ana.conversation('c')).toMatchObject({ gone: true });
  });

  it('that is direct is not made anew for a message that has failed already', async () => {
    context.server.fault = ({ action }) => (action === 'message.send' ? 'FORBIDDEN' : undefined);
    context.server.create('c', ['ana', 'ben']);
    const ana = await context.connect('ana');
    await ana.send('c', { text: 'unheard' });
    await until(() => failuresOf(ana).length === 1);
    context.server.conversations.delete('c');
    for (const { socket } of context.server.sockets) socket.terminate();
    await until(() => ana.conversation('c')?.gone === true && ana.state === 'online');
    await ana.people();
    expect(context.server.asked('conversation.create')).toEqual([]);
  });
});
