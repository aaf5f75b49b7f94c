import { ACTION_FUNCTIONS, type ActionFunction, type ActionName } from '@parley/protocol';
import { conversationKey } from '../../../lambdas/runtime/keys.ts';
import { mskEvent } from '../../lambdas/support/events.ts';
import type { Case, Table } from '../support/refusals.ts';
import { until } from '../support/until.ts';
import { frameOf } from '../support/wire.ts';
import type { User } from '../support/user.ts';
import { message, type Scene, type World } from '../support/world.ts';

/** An action of each function, with a body that needs no conversation to be well-formed. */
const ACTION_OF: Record<ActionFunction, [ActionName, object]> = {
  send: ['message.send', message('g_1', 'hello')],
  heartbeat: ['heartbeat', {}],
  receipt: ['receipt.set', { conversationId: 'g_1', readSeq: 1 }],
  sync: ['session.start', {}],
  conversation: ['conversation.list', {}],
};

const authorizerOf = ({ userId, workspaceId }: User) => ({
  userId,
  workspaceId,
  deviceId: 'phone',
  expiresAtMs: String(Date.now() + 60_000),
  principalId: userId,
});

/** What the gateway would hand over for a message, or of another route. */
function eventOf(functionName: ActionFunction, user: User, connectionId = 'PJqB0fHsqRcCHlw=') {
  const [routeKey, body] = ACTION_OF[functionName];
  const requestContext = { routeKey, connectionId, requestId: 'r1', connectedAt: Date.now() };
  return {
    requestContext: { ...requestContext, authorizer: authorizerOf(user) as Record<string, unknown> | undefined },
    body: frameOf(routeKey, body),
    isBase64Encoded: false,
  };
}

const portCallsOf = async (world: World, run: () => Promise<void>): Promise<string[]> => {
  await world.app.stream.idle();
  const before = world.portCalls.length;
  await run();
  return world.portCalls.slice(before).map(({ port, method }) => `${port}.${method}`);
};

const INCOMPLETE: readonly [string, (event: object) => unknown][] = [
  ['nothing', () => undefined],
  ['null', () => null],
  ['a text', () => 'event'],
  ['no requestContext', (event) => ({ ...event, requestContext: undefined })],
  ['a requestContext of null', (event) => ({ ...event, requestContext: null })],
  ['no connectionId', (event) => ({ ...event, requestContext: { routeKey: 'heartbeat', requestId: 'r1' } })],
  ['a connectionId of another type', (event) => ({ ...event, requestContext: { routeKey: 'x', connectionId: 7 } })],
];
const INCOMPLETE_MESSAGES: typeof INCOMPLETE = [
  ...INCOMPLETE,
  ['a body in base64', (event) => ({ ...event, isBase64Encoded: true })],
  ['no body', (event) => ({ ...event, body: undefined })],
  ['a body of null', (event) => ({ ...event, body: null })],
  ['a body that is no text', (event) => ({ ...event, body: { action: 'heartbeat' } })],
];

const incomplete =
  (functionName: string, events: typeof INCOMPLETE): Case =>
  async ({ world }) => {
    const good = eventOf('heartbeat', world.newUser());
    for (const [what, spoil] of events) {
      const calls = await portCallsOf(world, async () => {
        const answer = await world.invoke(functionName, spoil(good));
        expect({ what, answer }).toEqual({ what, answer: { statusCode: 400 } });
      });
      expect({ what, calls }).toEqual({ what, calls: [] });
    }
  };

const CONTEXTS: readonly [string, (good: Record<string, string>) => Record<string, unknown> | undefined][] = [
  ['none', () => undefined],
  ['an empty one', () => ({})],
  ['userId as an object', (good) => ({ ...good, userId: { id: 'ana' } })],
  ['userId with a slash', (good) => ({ ...good, userId: 'other/ana' })],
  ['workspaceId as a number', (good) => ({ ...good, workspaceId: 1 })],
  ['workspaceId with a slash', (good) => ({ ...good, workspaceId: 'a/b' })],
  ['no deviceId', (good) => ({ ...good, deviceId: undefined })],
  ['expiresAtMs as a number', (good) => ({ ...good, expiresAtMs: 9e15 })],
  ['expiresAtMs that is no number', (good) => ({ ...good, expiresAtMs: 'Infinity' })],
];

const forgedContext =
  (functionName: ActionFunction): Case =>
  async ({ world, row }) => {
    expect(row.expected_code).toContain('UNAUTHENTICATED');
    const user = world.newUser();
    for (const [what, contextOf] of CONTEXTS) {
      const event = eventOf(functionName, user);
      event.requestContext.authorizer = contextOf(authorizerOf(user));
      const calls = await portCallsOf(world, async () => {
        const answer = (await world.invoke(functionName, event)) as { statusCode: number; body: string };
        const reply: unknown = JSON.parse(answer.body);
        expect({ what, reply }).toMatchObject({ what, reply: { ok: false, error: { code: 'UNAUTHENTICATED' } } });
      });
      expect({ what, calls }).toEqual({ what, calls: [] });
    }
  };

const batchOf = (values: readonly string[]) => mskEvent('conversation-events', values);

/** The record of an entry that nobody was served with directly. */
function recordOf({ owner, conversationId }: Scene, seq: number): string {
  const { user } = owner;
  const { content, clientMessageId } = message(conversationId, `record ${seq}`);
  const placed = { conversationId, id: String(1_000 + seq), seq, kind: 'message', senderId: user.userId, sentAtMs: 1 };
  const entry = { ...placed, content, clientMessageId };
  return JSON.stringify({
    v: 1,
    type: 'entry',
    conversation: conversationKey(user, conversationId),
    entry,
    served: [],
  });
}

const poisonFor = ({ owner, conversationId }: Scene): string[] => [
  '{',
  'null',
  '7',
  '{"v":2,"type":"entry"}',
  JSON.stringify({ v: 1, type: 'entry', conversation: conversationKey(owner.user, conversationId), served: [] }),
];

const seqsAt = ({ other }: Scene): number[] =>
  other.events.flatMap((event) => (event.type === 'entry' && event.body.seq > 100 ? [event.body.seq] : []));

export const EVENTS: Table = {
  'event-incomplete': {
    ...Object.fromEntries(ACTION_FUNCTIONS.map((name) => [name, incomplete(name, INCOMPLETE_MESSAGES)])),
    connect: incomplete('connect', INCOMPLETE),
    disconnect: incomplete('disconnect', INCOMPLETE),
  },
  'event-authorizer-context': {
    ...Object.fromEntries(ACTION_FUNCTIONS.map((name) => [name, forgedContext(name)])),
    connect: async ({ world }) => {
      const user = world.newUser();
      for (const [what, contextOf] of CONTEXTS) {
        const event = eventOf('heartbeat', user);
        const requestContext = { ...event.requestContext, authorizer: contextOf(authorizerOf(user)) };
        const headers = { 'Sec-WebSocket-Protocol': 'parley.v1' };
        const calls = await portCallsOf(world, async () => {
          const answer = await world.invoke('connect', { ...event, requestContext, headers });
          expect({ what, answer }).toEqual({ what, answer: { statusCode: 401 } });
        });
        expect({ what, calls }).toEqual({ what, calls: [] });
      }
    },
  },
  'event-sqs': {
    'a stream record that comes twice, or late, is delivered again as it is': async ({ world }) => {
      const scene = await world.scene();
      const [first, second] = [recordOf(scene, 101), recordOf(scene, 102)];
      await world.invoke('deliver', batchOf([second, first, first]));
      await until(() => seqsAt(scene).length >= 3, 'all records are delivered');
      expect(seqsAt(scene)).toEqual([102, 101, 101]);
    },
    'a poisoned stream record is put aside, and its neighbours are delivered once': async ({ world }) => {
      const scene = await world.scene();
      const poison = poisonFor(scene);
      const parkedBefore = world.app.stream.parked.length;
      await world.invoke('deliver', batchOf([recordOf(scene, 101), ...poison, recordOf(scene, 102)]));
      await until(() => seqsAt(scene).length >= 2, 'the neighbours are delivered');
      expect(seqsAt(scene)).toEqual([101, 102]);
      const offsets = world.app.stream.parked.slice(parkedBefore).map(({ offset }) => offset);
      expect(offsets).toEqual(poison.map((_, i) => i + 1));
    },
    'an empty batch of the stream does nothing': async ({ world }) => {
      const calls = await portCallsOf(world, async () => {
        expect(await world.invoke('deliver', batchOf([]))).toBeUndefined();
        expect(await world.invoke('deliver', { eventSource: 'aws:kafka', records: {} })).toBeUndefined();
      });
      expect(calls).toEqual([]);
    },
  },
  'event-late-disconnect': {
    'of an unknown connection changes nothing': async ({ world }) => {
      const wire = await world.connect();
      const ids = await world.connectionIds(wire.user);
      const event = { ...eventOf('heartbeat', wire.user), body: undefined };
      expect(await world.invoke('disconnect', event)).toEqual({ statusCode: 200 });
      expect(ids).toHaveLength(1);
      expect(await world.connectionIds(wire.user)).toEqual(ids);
    },
    'of the old connection leaves the new one': async ({ world }) => {
      const old = await world.connect();
      const [oldId = ''] = await world.connectionIds(old.user);
      await world.connect(old.user);
      const [newId] = (await world.connectionIds(old.user)).filter((id) => id !== oldId);
      const event = { ...eventOf('heartbeat', old.user, oldId), body: undefined };
      for (let times = 0; times < 2; times++) {
        expect(await world.invoke('disconnect', event)).toEqual({ statusCode: 200 });
        expect(await world.connectionIds(old.user)).toEqual([newId]);
      }
      expect(newId).toBeDefined();
    },
  },
};
