import { ACTION_NAMES, ACTIONS, type ActionName, type ErrorCode, type ServerEvent } from '@parley/protocol';
import { conversationKey } from '../../../lambdas/runtime/keys.ts';
import { expectRefused, expectState, inScene, type Case, type Given, type Table } from '../support/refusals.ts';
import { SAMPLES } from '../support/samples.ts';
import { minimal } from '../support/schema-walk.ts';
import { until } from '../support/until.ts';
import { frameOf, type Wire } from '../support/wire.ts';
import { message, World, type Scene } from '../support/world.ts';
import { CHANGES } from './changes.ts';

const IN_CONVERSATION = ACTION_NAMES.filter((action) => 'conversationId' in ACTIONS[action].body.entries);

/** The least that an action takes, for another conversation than the scene's. */
function bodyFor(action: ActionName, scene: Scene, conversationId: string): Record<string, unknown> {
  return { ...minimal(action, SAMPLES[action](scene)), conversationId };
}

/** The reply without what differs at every call. */
const bytes = (raw: string): string => raw.replace(/"serverTimeMs":\d+/, '"serverTimeMs":0');

const forEachInConversation = (run: (given: Given, action: ActionName) => Promise<void>): Record<string, Case> =>
  Object.fromEntries(IN_CONVERSATION.map((action) => [action, (given: Given) => run(given, action)]));

/** Whoever asks learns the same of a conversation of others as of one that never was: byte for byte. */
async function expectSameBytes(wire: Wire, requestFor: (conversationId: string) => object, id: string): Promise<void> {
  const replies: string[] = [];
  for (const conversationId of [id, 'g_neverThere']) {
    const { raw } = await wire.ask(JSON.stringify({ ...requestFor(conversationId), id: 'same' }));
    replies.push(bytes(raw).replaceAll(conversationId, 'ID'));
  }
  expect(replies[0]).toBe(replies[1]);
}

const receiptsTo = ({ events }: Wire, userId: string): (ServerEvent & { type: 'receipt' })[] =>
  events.flatMap((event) => (event.type === 'receipt' && event.body.userId === userId ? [event] : []));

const beyondNewest = (fieldsOf: (headSeq: number) => object): Case =>
  inScene(async (given, scene) => {
    const { owner, conversationId } = scene;
    await owner.call('receipt.set', { conversationId, deliveredSeq: 1 });
    const { me, headSeq } = (await owner.call('conversation.get', { conversationId })).conversation;
    const text = frameOf('receipt.set', { conversationId, ...fieldsOf(headSeq) });
    await expectRefused(given, owner, 'VALIDATION_FAILED', { text, secrets: ['9007199254740991'] });
    const after = (await owner.call('conversation.get', { conversationId })).conversation;
    expect(after.me).toEqual(me);
    expect(me).toMatchObject({ deliveredSeq: 1, readSeq: 0 });
  });

const forgedCursor = (code: ErrorCode, cursorOf: (given: Given, scene: Scene) => unknown): Case =>
  inScene(async (given, scene) => {
    const { owner, conversationId } = scene;
    await given.world.say(owner, conversationId, 'a second message');
    const after: unknown = await cursorOf(given, scene);
    await expectRefused(given, owner, code, frameOf('log.sync', { conversationId, after }));
  });

const typingAt100Hz: Case = async ({ row }) => {
  const atMs = Date.now();
  const world = await World.start({ now: () => atMs });
  try {
    const { owner, other, conversationId } = await world.scene();
    await world.app.stream.idle();
    const posts = (): number =>
      world.portCalls.filter(({ port, method, args }) => {
        return port === 'gateway' && method === 'post' && String(args[1]).includes('"typing"');
      }).length;
    const frames = Array.from({ length: 100 }, () => frameOf('typing.set', { conversationId, typing: true }));
    for (const { frame } of await owner.askAll(frames)) expect(frame).toMatchObject({ ok: true });
    await world.app.stream.idle();
    expect(posts()).toBe(1);
    await until(() => other.events.some(({ type }) => type === 'typing'), 'the other member sees it');
    await expectState({ world, row }, owner);
  } finally {
    await world.close();
  }
};

export const AUTHORIZATION: Table = {
  'state-not-a-member': {
    ...forEachInConversation(async (given, action) => {
      const scene = await given.world.scene();
      const stranger = await given.world.connect();
      const { conversationId } = scene;
      const body = bodyFor(action, scene, conversationId);
      const secrets = [conversationId, scene.owner.user.userId];
      await expectRefused(given, stranger, 'NOT_FOUND', { text: frameOf(action, body), secrets });
      await expectSameBytes(stranger, (id) => ({ action, body: { ...body, conversationId: id } }), conversationId);
    }),
    'heartbeat names no head of it': inScene(async (given, { conversationId }) => {
      const stranger = await given.world.connect();
      const request = (id: string): object => ({ action: 'heartbeat', body: { heads: { [id]: 0 } } });
      await expectSameBytes(stranger, request, conversationId);
      const { behind } = await stranger.call('heartbeat', { heads: { [conversationId]: 0 } });
      expect(behind).toEqual([]);
    }),
    'session.start calls it gone': inScene(async (given, { conversationId, epoch }) => {
      const stranger = await given.world.connect();
      const cursor = { seq: 0, id: '0', epoch };
      const request = (id: string): object => ({ action: 'session.start', body: { cursors: { [id]: cursor } } });
      await expectSameBytes(stranger, request, conversationId);
      const reply = await stranger.call('session.start', { cursors: { [conversationId]: cursor } });
      expect(reply).toMatchObject({ conversations: [], gone: [conversationId] });
    }),
  },
  'state-other-tenant-conversation': forEachInConversation(async (given, action) => {
    const { world } = given;
    const [here, there] = [world.newUser('here'), { workspaceId: 'there' }];
    const wire = await world.connect(here);
    const scene = await world.scene();
    const conversationId = `g_both_${action.replace('.', '_')}`;
    for (const [workspaceId, userId] of [
      ['here', 'somebody'],
      ['there', here.userId],
    ] as const) {
      const conversation = conversationKey({ workspaceId }, conversationId);
      const members = [{ userId, role: 'owner' as const }];
      const made = { conversation, type: 'group' as const, createdAtMs: Date.now(), requestHash: 'x', members };
      expect(await world.app.services.directory.createConversation(made)).toBe(true);
    }
    const before = world.portCalls.length;
    await expectRefused(given, wire, 'NOT_FOUND', frameOf(action, bodyFor(action, scene, conversationId)));
    const touched = world.portCalls.slice(before).map(({ args }) => JSON.stringify(args));
    expect(touched.filter((args) => args.includes(conversationKey(here, conversationId)))).not.toEqual([]);
    expect(touched.filter((args) => args.includes(`${there.workspaceId}/`))).toEqual([]);
  }),
  'state-retry-different-body': {
    'is a conflict, and the first stays': inScene(async (given, { owner, other, conversationId }) => {
      const body = message(conversationId, 'first');
      const first = await owner.call('message.send', body);
      for (const fields of [
        { content: { type: 'text', text: 'second canary-31fe' } },
        { mentions: [other.user.userId] },
        { replyToId: first.id },
      ]) {
        const text = frameOf('message.send', { ...body, ...fields });
        await expectRefused(given, owner, 'CONFLICT', { text, secrets: ['canary-31fe', first.id] });
      }
      expect(await owner.call('message.send', body)).toEqual(first);
      const { entries } = await owner.call('log.page', { conversationId });
      expect(entries[0]).toMatchObject({ id: first.id, content: body.content });
      expect(entries).toHaveLength(2);
    }),
  },
  'state-retry-different-conversation': {
    'is another message': inScene(async (given, { owner, other, conversationId }) => {
      const { world } = given;
      const elsewhere = (await world.group(owner, other)).conversationId;
      const body = message(conversationId, 'to both');
      const first = await owner.call('message.send', body);
      const second = await owner.call('message.send', { ...body, conversationId: elsewhere });
      expect(second.conversationId).toBe(elsewhere);
      for (const [id, entryId] of [
        [conversationId, first.id],
        [elsewhere, second.id],
      ] as const) {
        const { entries } = await other.call('log.page', { conversationId: id });
        expect(entries[0]).toMatchObject({ id: entryId, clientMessageId: body.clientMessageId });
      }
      await expectState(given, owner);
    }),
  },
  'state-ack-beyond-newest': {
    'by deliveredSeq': beyondNewest((headSeq) => ({ deliveredSeq: headSeq + 1 })),
    'by readSeq': beyondNewest((headSeq) => ({ readSeq: headSeq + 1 })),
    'by one of the two': beyondNewest((headSeq) => ({ deliveredSeq: headSeq + 1, readSeq: headSeq })),
    'by far': beyondNewest(() => ({ deliveredSeq: 1, readSeq: Number.MAX_SAFE_INTEGER })),
  },
  'state-ack-backwards': {
    'changes nothing, and is told to nobody': inScene(async (given, { owner, other, conversationId }) => {
      const { world } = given;
      for (let i = 2; i <= 10; i++) await world.say(owner, conversationId, `message ${i}`);
      const ten = { deliveredSeq: 10, readSeq: 10 };
      expect(await other.call('receipt.set', { conversationId, ...ten })).toEqual(ten);
      for (const back of [{ readSeq: 5 }, { deliveredSeq: 5 }, { deliveredSeq: 5, readSeq: 5 }, {}]) {
        expect(await other.call('receipt.set', { conversationId, ...back })).toEqual(ten);
      }
      const { receipts } = await owner.call('receipts.get', { conversationId });
      expect(receipts).toContainEqual({ userId: other.user.userId, ...ten });
      await world.app.stream.idle();
      const { id } = await world.say(other, conversationId, 'after all receipts');
      await until(() => owner.raw.some((raw) => raw.includes(id)), 'the last message has arrived');
      expect(receiptsTo(owner, other.user.userId).map(({ body }) => body.readSeq)).toEqual([10]);
      await expectState(given, other);
    }),
  },
  'state-cursor-forged': {
    'with the id of another number': forgedCursor('INVALID_CURSOR', (_, { message: { id } }) => ({ seq: 2, id })),
    'with the number of another id': forgedCursor('INVALID_CURSOR', (_, { message: { id } }) => ({ seq: 0, id })),
    'with an id that never was': forgedCursor('INVALID_CURSOR', () => ({ seq: 1, id: '9223372036854775807' })),
    'with the beginning at another number': forgedCursor('INVALID_CURSOR', () => ({ seq: 1, id: '0' })),
    'with an id that is no number': forgedCursor('VALIDATION_FAILED', () => ({ seq: 1, id: 'x' })),
    'with a negative id': forgedCursor('VALIDATION_FAILED', () => ({ seq: 1, id: '-1' })),
    'with an id of 2^63': forgedCursor('VALIDATION_FAILED', () => ({ seq: 1, id: '9223372036854775808' })),
    'of another conversation': forgedCursor('INVALID_CURSOR', async ({ world }, { owner, other }) => {
      const elsewhere = await world.group(owner, other);
      const { seq, id } = await world.say(owner, elsewhere.conversationId, 'elsewhere');
      return { seq, id };
    }),
    'in a conversation of others': inScene(async (given, { conversationId, message: { seq, id } }) => {
      const stranger = await given.world.connect();
      const text = frameOf('log.sync', { conversationId, after: { seq, id } });
      await expectRefused(given, stranger, 'NOT_FOUND', { text, secrets: [id, conversationId] });
    }),
  },
  'state-presence-hidden': {
    'of a stranger is left out, as if there were no such user': async (given) => {
      const { world } = given;
      const [watcher, foreign] = [await world.connect(), await world.connect(world.newUser('other'))];
      await foreign.call('heartbeat', {});
      for (const userIds of [[foreign.user.userId], ['nobody-at-all'], []]) {
        expect(await watcher.call('presence.watch', { userIds })).toEqual({ presence: [] });
      }
      await expectState(given, watcher);
    },
  },
  ...CHANGES,
  'state-typing': {
    'at 100 Hz is told once': typingAt100Hz,
    'in a conversation of others': inScene(async (given, { conversationId }) => {
      const stranger = await given.world.connect();
      const text = frameOf('typing.set', { conversationId, typing: true });
      await expectRefused(given, stranger, 'NOT_FOUND', { text, secrets: [conversationId] });
    }),
  },
};
