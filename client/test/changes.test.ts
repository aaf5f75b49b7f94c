import { WebSocket } from 'ws';
import { startLocalApp, type LocalApp } from '../../local/embedded/app.ts';
import { memoryStorage, ParleyClient, type ClientOptions, type Storage } from '../src/index.ts';
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

/** Everything that a storage holds. */
const all = async (storage: Storage): Promise<string> => JSON.stringify(await storage.list(''));
const last = (client: ParleyClient, id: string) => client.messages(id).at(-1);
const rolesIn = (client: ParleyClient, id: string) =>
  Object.fromEntries((client.conversation(id)?.members ?? []).map(({ userId, role }) => [userId, role]));

async function group(...others: ParleyClient[]): Promise<{ ana: ParleyClient; id: string }> {
  const ana = await join('ana');
  const memberIds = others.map(({ userId }) => userId!);
  const { conversationId: id } = await ana.createGroup({ title: 'Us', memberIds });
  await until(() => others.every((client) => client.conversation(id) !== undefined));
  return { ana, id };
}

beforeAll(async () => {
  app = await startLocalApp();
});
afterEach(() => Promise.all(clients.splice(0).map((client) => client.close())));
afterAll(() => app.close());

describe('an edit', () => {
  it('shows the new text in the same place, here and there, also to whoever comes back', async () => {
    const signal = new EventTarget();
    const ben = await join('ben', { onlineSignal: signal });
    const { ana, id } = await group(ben);
    const { key } = await ana.send(id, { text: 'Helo' });
    await ana.send(id, { text: 'second' });
    await until(() => textsOf(ben, id).length === 2 && ana.messages(id).every(({ seq }) => seq !== undefined));
    await ana.edit(id, key, 'Hello');
    expect(textsOf(ana, id)).toEqual(['Hello', 'second']);
    await until(() => textsOf(ben, id).join() === 'Hello,second');
    expect(ben.messages(id)[0]).toMatchObject({ editedAtMs: expect.any(Number) as number });
    expect(ben.messages(id)[1]).not.toHaveProperty('editedAtMs');
    signal.dispatchEvent(new Event('offline'));
    await ana.edit(id, key, 'Hello there');
    signal.dispatchEvent(new Event('online'));
    await until(() => textsOf(ben, id).join() === 'Hello there,second');
    expect(ana.messages(id)[0]?.key).toBe(key);
  });

  it('is not a message: nothing is unread by it, and nobody is told of a message', async () => {
    const ben = await join('ben');
    const { ana, id } = await group(ben);
    const { key } = await ana.send(id, { text: 'one' });
    await until(() => ben.messages(id)[0]?.seq !== undefined && ana.messages(id)[0]?.seq !== undefined);
    ben.markRead(id);
    const told: string[] = [];
    ben.on('message', ({ text }) => told.push(text));
    await ana.edit(id, key, 'two');
    await until(() => textsOf(ben, id).join() === 'two');
    expect(ben.conversation(id)?.unread).toBe(0);
    expect(told).toEqual([]);
  });

  it('of the message of another is refused, and nothing changes', async () => {
    const ben = await join('ben');
    const { ana, id } = await group(ben);
    await ana.send(id, { text: 'mine' });
    await until(() => textsOf(ben, id).length === 1);
    const { key } = last(ben, id)!;
    await expect(ben.edit(id, key, 'yours')).rejects.toMatchObject({ code: 'FORBIDDEN' });
    await expect(ben.edit(id, 'nope', 'yours')).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await expect(ana.edit(id, last(ana, id)!.key, '')).rejects.toMatchObject({ code: 'VALIDATION_FAILED' });
    expect(textsOf(ben, id)).toEqual(['mine']);
  });
});

describe('a delete', () => {
  it('takes the words away everywhere, from the storage of every device too, and leaves the place', async () => {
    const storages = [memoryStorage(), memoryStorage()];
    const ben = await join('ben', { storage: storages[1]! });
    const ana = await join('ana', { storage: storages[0]! });
    const { conversationId: id } = await ana.createGroup({ title: 'Us', memberIds: ['ben'] });
    const { key } = await ana.send(id, { text: 'a secret' });
    await ana.send(id, { text: 'other' });
    await until(() => textsOf(ben, id).length === 2 && ana.messages(id).every(({ seq }) => seq !== undefined));
    await ana.edit(id, key, 'an edited secret');
    await until(() => textsOf(ben, id)[0] === 'an edited secret');
    expect(await all(storages[1]!)).toContain('secret');
    await ana.remove(id, key);
    await until(() => ben.messages(id)[0]?.deleted === true);
    for (const client of [ana, ben]) {
      expect(textsOf(client, id)).toEqual(['', 'other']);
      expect(client.messages(id)[0]).toMatchObject({ deleted: true, senderId: 'ana', seq: 1 });
    }
    expect(ana.messages(id)[0]?.key).toBe(key);
    await Promise.all([ana.close(), ben.close()]);
    for (const storage of storages) expect(await all(storage)).not.toContain('secret');
    const again = await join('ben', { storage: storages[1]! });
    expect(textsOf(again, id)).toEqual(['', 'other']);
    const fresh = await join('ben');
    expect(fresh.messages(id)[0]).toMatchObject({ deleted: true, text: '' });
    await expect(fresh.edit(id, fresh.messages(id)[0]!.key, 'back')).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });

  it('holds when the event of the message comes after it', async () => {
    const ben = await join('ben');
    const { ana, id } = await group(ben);
    const { key } = await ana.send(id, { text: 'a secret' });
    await until(() => textsOf(ben, id).length === 1 && ana.messages(id)[0]?.seq !== undefined);
    const heard: string[] = [];
    const { entries } = await ben.request('log.page', { conversationId: id });
    await ana.remove(id, key);
    await until(() => ben.messages(id)[0]?.deleted === true);
    ben.on('message', ({ text }) => heard.push(text));
    const user = 'demo/ben' as never;
    const events = [{ v: 1, type: 'users', users: [user], event: { type: 'entry', body: entries[0]! } } as const];
    for (const record of events) await app.stream.publish('signals', user, record);
    await app.stream.idle();
    await ana.send(id, { text: 'after it' });
    await until(() => textsOf(ben, id).length === 2);
    expect(textsOf(ben, id)).toEqual(['', 'after it']);
    expect(heard).toEqual(['after it']);
  });
});

describe('members', () => {
  it('are added, and see what is said from then on', async () => {
    const [ben, cleo] = [await join('ben'), await join('cleo')];
    const { ana, id } = await group(ben);
    await ana.send(id, { text: 'before' });
    await until(() => textsOf(ben, id).length === 1);
    await ana.addMembers(id, ['cleo']);
    expect(rolesIn(ana, id)).toEqual({ ana: 'owner', ben: 'member', cleo: 'member' });
    await until(() => cleo.conversation(id) !== undefined && rolesIn(ben, id)['cleo'] === 'member');
    expect(cleo.conversation(id)).toMatchObject({ memberCount: 3, role: 'member', unread: 0 });
    await ana.send(id, { text: 'after' });
    await until(() => textsOf(cleo, id).length === 1);
    expect(textsOf(cleo, id)).toEqual(['after']);
    expect(cleo.conversation(id)).toMatchObject({ hasOlder: false, unread: 1 });
    await expect(ana.addMembers(id, ['cleo'])).rejects.toMatchObject({ code: 'CONFLICT' });
    await expect(ben.addMembers(id, ['dan'])).rejects.toMatchObject({ code: 'FORBIDDEN' });
  });

  it('are removed: the conversation goes from their list and their storage, the others see it', async () => {
    const storage = memoryStorage();
    const [ben, cleo] = [await join('ben', { storage }), await join('cleo')];
    const { ana, id } = await group(ben, cleo);
    await ana.send(id, { text: 'a secret' });
    await until(() => textsOf(ben, id).length === 1);
    const changes: string[] = [];
    ben.on('conversation', ({ change }) => changes.push(change));
    await ana.removeMember(id, 'ben');
    await until(() => ben.conversation(id) === undefined);
    expect(changes).toEqual(['removed']);
    await until(() => rolesIn(cleo, id)['ben'] === undefined);
    expect(rolesIn(ana, id)).toEqual({ ana: 'owner', cleo: 'member' });
    await ben.close();
    expect(await all(storage)).not.toContain('secret');
    // Whoever comes back begins anew.
    const again = await join('ben', { storage });
    expect(again.conversation(id)).toBeUndefined();
    await ana.addMembers(id, ['ben']);
    await ana.send(id, { text: 'welcome back' });
    await until(() => textsOf(again, id).join() === 'welcome back');
  });

  it('leave: it goes from their list, and the group has another owner', async () => {
    const [ben, cleo] = [await join('ben'), await join('cleo')];
    const { ana, id } = await group(ben, cleo);
    await ana.leave(id);
    expect(ana.conversation(id)).toBeUndefined();
    await until(() => Object.values(rolesIn(ben, id)).join() === 'owner,member');
    await until(() => Object.values(rolesIn(cleo, id)).includes('owner'));
    const owner = rolesIn(ben, id)['ben'] === 'owner' ? ben : cleo;
    expect(owner.conversation(id)?.role).toBe('owner');
    const direct = await ben.createDirect('cleo');
    await expect(ben.leave(direct.conversationId)).rejects.toMatchObject({ code: 'FORBIDDEN' });
  });

  it('who were removed while they were away find it gone', async () => {
    const signal = new EventTarget();
    const ben = await join('ben', { onlineSignal: signal });
    const { ana, id } = await group(ben);
    signal.dispatchEvent(new Event('offline'));
    await ana.removeMember(id, 'ben');
    signal.dispatchEvent(new Event('online'));
    await until(() => ben.conversation(id) === undefined);
  });
});
