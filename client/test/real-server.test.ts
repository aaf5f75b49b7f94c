import { WebSocket } from 'ws';
import { startLocalApp, type LocalApp } from '../../local/embedded/app.ts';
import { memoryStorage, ParleyClient, type ClientOptions } from '../src/index.ts';
import { textsOf, until } from './harness.ts';

let app: LocalApp;
const clients: ParleyClient[] = [];

async function join(userId: string, options: Partial<ClientOptions> = {}): Promise<ParleyClient> {
  const client = new ParleyClient({
    url: app.socketUrl,
    storage: memoryStorage(),
    webSocket: WebSocket,
    receiptDebounceMs: 20,
    token: async () => {
      const reply = await fetch(`${app.url}/dev/token`, { method: 'POST', body: JSON.stringify({ userId }) });
      return ((await reply.json()) as { token: string }).token;
    },
    ...options,
  });
  clients.push(client);
  await client.connect();
  expect(client.state).toBe('online');
  return client;
}

beforeAll(async () => {
  app = await startLocalApp();
});
afterEach(() => Promise.all(clients.splice(0).map((client) => client.close())));
afterAll(() => app.close());

describe('with the real server', () => {
  it('a message is sent, delivered, read and answered', async () => {
    const [ana, ben] = [await join('ana'), await join('ben')];
    const { conversationId: id } = await ana.createDirect('ben');
    await ana.send(id, { text: 'Hello' });
    await until(() => textsOf(ben, id).length === 1);
    expect(ben.conversation(id)?.unread).toBe(1);
    await until(() => ana.messages(id)[0]?.status === 'delivered');
    await ben.send(id, { text: 'Hello yourself' });
    await until(() => ana.messages(id)[0]?.status === 'read');
    await until(() => textsOf(ana, id).length === 2);
    expect(ben.conversation(id)?.unread).toBe(0);
    expect(ana.conversation(id)?.unread).toBe(1);
  });

  it('whoever was offline has exactly what was sent meanwhile, in order', async () => {
    const signal = new EventTarget();
    const [cleo, dan] = [await join('cleo'), await join('dan', { onlineSignal: signal })];
    const { conversationId: id } = await cleo.createGroup({ title: 'Us', memberIds: ['dan'] });
    await until(() => dan.conversation(id) !== undefined);
    const loop = dan.entries({ conversationId: id });
    signal.dispatchEvent(new Event('offline'));
    const texts = Array.from({ length: 130 }, (_, i) => `${i}`);
    await Promise.all(texts.map((text) => cleo.send(id, { text })));
    await dan.send(id, { text: 'queued' });
    await until(() => cleo.messages(id).every(({ status }) => status === 'sent'));
    signal.dispatchEvent(new Event('online'));
    await until(() => textsOf(cleo, id).includes('queued') && textsOf(dan, id).length === 131);
    expect(textsOf(dan, id)).toEqual([...texts, 'queued']);
    expect(textsOf(cleo, id)).toEqual([...texts, 'queued']);
    const shown: string[] = [];
    while (shown.length < 131) shown.push((await loop.next()).value!.text);
    expect(shown).toEqual([...texts, 'queued']);
  });

  it('two devices of one user show the same', async () => {
    await join('finn');
    const [one, two] = [await join('eve'), await join('eve')];
    const { conversationId: id } = await one.createDirect('finn');
    await until(() => two.conversation(id) !== undefined);
    await Promise.all(Array.from({ length: 20 }, (_, i) => (i % 2 ? one : two).send(id, { text: `${i}` })));
    await until(() => [one, two].every((device) => device.messages(id).filter(({ seq }) => seq).length === 20));
    expect(textsOf(one, id)).toEqual(textsOf(two, id));
    expect(new Set(textsOf(one, id)).size).toBe(20);
  });

  it('says who types, who is there, and who is in the workspace', async () => {
    const [gil, hana] = [await join('gil'), await join('hana')];
    const { conversationId: id } = await gil.createDirect('hana');
    await until(() => hana.conversation(id) !== undefined);
    gil.setTyping(id, true);
    await until(() => hana.conversation(id)?.typing.includes('gil') === true);
    gil.setTyping(id, false);
    await until(() => hana.conversation(id)?.typing.length === 0);
    gil.watchPresence(['hana']);
    await until(() => gil.presence('hana').state === 'online');
    await hana.close();
    await until(() => gil.presence('hana').state === 'offline');
    expect((await gil.people()).map(({ userId }) => userId)).toEqual(expect.arrayContaining(['gil', 'hana']));
  });

  it('history is paged in to the first message', async () => {
    const [ivo, jo] = [await join('ivo'), await join('jo')];
    const { conversationId: id } = await ivo.createDirect('jo');
    const texts = Array.from({ length: 120 }, (_, i) => `${i}`);
    await Promise.all(texts.map((text) => ivo.send(id, { text })));
    await until(() => ivo.messages(id).every(({ status }) => status !== 'queued'));
    await jo.close();
    const late = await join('jo');
    expect(textsOf(late, id)).toEqual(texts.slice(-50));
    while (late.conversation(id)?.hasOlder) await late.loadOlder(id);
    expect(textsOf(late, id)).toEqual(texts);
  });
});
