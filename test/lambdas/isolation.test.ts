import { ACTION_NAMES, ACTIONS, type ActionName } from '@parley/protocol';
import { conversationKey } from '../../lambdas/runtime/keys.ts';
import { spy } from './support/intercept.ts';
import { sendBody, Stage, type Socket } from './support/stage.ts';

const CURSOR = { seq: 0, id: '0' };
const PLACE = { seq: 1, id: '1' };

/** A valid body of every action that names a conversation. */
const BODIES: Partial<Record<ActionName, (conversationId: string) => object>> = {
  'message.send': (id) => sendBody(id, 'hello', { replyToId: '1', mentions: ['ana'] }),
  'message.edit': (conversationId) => ({
    ...{ conversationId, clientRequestId: 'e', targetId: '1' },
    content: { type: 'text', text: 'hi' },
  }),
  'message.delete': (conversationId) => ({ conversationId, clientRequestId: 'd', targetId: '1' }),
  'log.sync': (conversationId) => ({ conversationId, after: PLACE }),
  'log.page': (conversationId) => ({ conversationId, beforeId: '5' }),
  'receipt.set': (conversationId) => ({ conversationId, readSeq: 9 }),
  'receipts.get': (conversationId) => ({ conversationId }),
  'typing.set': (conversationId) => ({ conversationId, typing: true }),
  'conversation.get': (conversationId) => ({ conversationId }),
  'conversation.leave': (conversationId) => ({ conversationId, clientRequestId: 'l' }),
  'member.add': (conversationId) => ({ conversationId, clientRequestId: 'a', userId: 'ben' }),
  'member.remove': (conversationId) => ({ conversationId, clientRequestId: 'r', userId: 'ben' }),
  'member.list': (conversationId) => ({ conversationId }),
};

/** The same for the others, naming conversations and users where they can. */
const OTHER_BODIES: Partial<Record<ActionName, (conversationId: string) => object>> = {
  'session.start': (id) => ({ cursors: { [id]: { ...CURSOR, epoch: 1 } } }),
  'session.end': () => ({}),
  heartbeat: (id) => ({ heads: { [id]: 0 } }),
  'presence.watch': () => ({ userIds: ['ana', 'ben', 'cleo'] }),
  'presence.unwatch': () => ({}),
  'conversation.create': () => ({ clientRequestId: 'r', type: 'group', memberIds: ['ana'] }),
  'conversation.list': () => ({}),
  'workspace.members': () => ({}),
};

const WITH_CONVERSATION = ACTION_NAMES.filter((action) => 'conversationId' in ACTIONS[action].body.entries);

let stage: Stage;
let ana: Socket;
let cleo: Socket;
let namesake: Socket;
let group: string;

beforeEach(async () => {
  stage = new Stage();
  ana = await stage.connect('ana');
  const ben = await stage.connect('ben');
  cleo = await stage.connect('cleo');
  namesake = await stage.connect('ana', { workspaceId: 'w2' });
  group = await stage.group(ana, ben);
  await ana.send(group, 'secret of w1');
  await stage.settled();
});

describe('a conversation that one may not see', () => {
  it('is covered here for every action that names one, and all others are listed too', () => {
    expect(Object.keys(BODIES).sort()).toEqual([...WITH_CONVERSATION].sort());
    expect([...Object.keys(BODIES), ...Object.keys(OTHER_BODIES)].sort()).toEqual([...ACTION_NAMES].sort());
  });

  it.each(WITH_CONVERSATION)('%s answers byte for byte as for one that does not exist', async (action) => {
    const text = (conversationId: string) =>
      JSON.stringify({ action, id: '17', body: BODIES[action]!(conversationId) });
    const unknown = await ana.raw(text('g_unknown'));
    const stranger = await cleo.raw(text(group));
    const foreign = await namesake.raw(text(group));
    expect(JSON.parse(unknown)).toMatchObject({ id: '17', ok: false, error: { code: 'NOT_FOUND' } });
    expect([stranger, foreign]).toEqual([unknown, unknown]);
  });

  it('makes the functions do the same work, so that the time taken tells nothing either', async () => {
    for (const action of WITH_CONVERSATION) {
      const work: string[][] = [];
      for (const [socket, id] of [
        [ana, 'g_unknown'],
        [cleo, group],
      ] as const) {
        const { services, calls } = spy(stage.services);
        await socket.request(action, BODIES[action]!(id), services);
        work.push(calls.map(({ port, method }) => `${port}.${method}`));
      }
      expect(work[1]).toEqual(work[0]);
    }
  });

  it('is gone in a session, and not behind in a heartbeat, as one that does not exist', async () => {
    for (const socket of [cleo, namesake]) {
      const { conversations, gone } = await socket.ok('session.start', {
        cursors: { [group]: { ...PLACE, epoch: 1 }, g_unknown: { ...PLACE, epoch: 1 } },
      });
      expect({ conversations, gone }).toEqual({ conversations: [], gone: [group, 'g_unknown'] });
      const { behind } = await socket.ok('heartbeat', { heads: { [group]: 0, g_unknown: 0 } });
      expect(behind).toEqual([]);
    }
    expect((await ana.ok('heartbeat', { heads: { [group]: 0 } })).behind).toEqual([
      { conversationId: group, headSeq: 1 },
    ]);
  });

  it('never gets an event to whoever is no member', async () => {
    await ana.ok('receipt.set', { conversationId: group, readSeq: 1 });
    await ana.ok('typing.set', { conversationId: group, typing: true });
    await stage.settled();
    expect(stage.gateway.posts.length).toBeGreaterThan(2);
    for (const socket of [cleo, namesake]) expect(socket.events).toEqual([]);
  });
});

describe('two workspaces with the same ids', () => {
  beforeEach(async () => {
    await stage.connect('ben', { workspaceId: 'w2' });
    await stage.directory.createConversation({
      conversation: conversationKey({ workspaceId: 'w2' }, group),
      type: 'group',
      createdAtMs: stage.clock.now(),
      requestHash: 'h',
      members: [
        { userId: 'ana', role: 'owner' },
        { userId: 'ben', role: 'member' },
      ],
    });
  });

  it('never meet: no action of one calls a port with a key of the other', async () => {
    await namesake.send(group, 'secret of w2');
    let looked = 0;
    for (const [socket, own, other] of [
      [namesake, 'w2', 'w1'],
      [ana, 'w1', 'w2'],
    ] as const) {
      for (const action of ACTION_NAMES) {
        const { services, calls } = spy(stage.services);
        await socket.request(action, { ...BODIES, ...OTHER_BODIES }[action]!(group), services);
        await stage.settled();
        const args = calls.map((call) => JSON.stringify(call.args));
        expect(args.filter((text) => text.includes(`${other}/`) || text.includes(`"${other}"`))).toEqual([]);
        looked += args.filter((text) => text.includes(`${own}/`)).length;
      }
    }
    expect(looked).toBeGreaterThan(40);
  });

  it('show each only its own', async () => {
    await namesake.send(group, 'secret of w2');
    const read = async (socket: Socket) =>
      JSON.stringify([
        await socket.ok('session.start', {}),
        await socket.ok('log.sync', { conversationId: group, after: CURSOR }),
        await socket.ok('log.page', { conversationId: group }),
        await socket.ok('conversation.list', {}),
      ]);
    const [first, second] = [await read(ana), await read(namesake)];
    expect([first.includes('secret of w1'), first.includes('secret of w2')]).toEqual([true, false]);
    expect([second.includes('secret of w1'), second.includes('secret of w2')]).toEqual([false, true]);
  });

  it('never share a presence, a watcher, or a fan-out', async () => {
    await ana.ok('presence.watch', { userIds: ['ben'] });
    const ben2 = await stage.connect('ben', { workspaceId: 'w2' });
    await ben2.ok('heartbeat', {});
    await namesake.send(group, 'hello');
    await stage.settled();
    expect(ana.events).toEqual([]);
    expect(ben2.events.map(({ type }) => type)).toEqual(['entry']);
    expect((await ana.ok('heartbeat', {})).presence).toEqual([{ userId: 'ben', state: 'offline' }]);
  });

  it('do not know each other as users', async () => {
    await stage.connect('only2', { workspaceId: 'w2' });
    const body = { clientRequestId: 'r', type: 'direct', memberIds: ['only2'] };
    const unknown = { ...body, memberIds: ['nobody'] };
    expect(await ana.refused('conversation.create', body)).toEqual(await ana.refused('conversation.create', unknown));
    expect((await ana.ok('presence.watch', { userIds: ['only2', 'nobody'] })).presence).toEqual([]);
    expect((await ana.ok('workspace.members', {})).members.map(({ userId }) => userId)).toEqual(['ana', 'ben', 'cleo']);
  });
});
