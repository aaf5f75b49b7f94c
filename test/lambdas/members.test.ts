import { randomUUID } from 'node:crypto';
import { LIMITS, type ActionName, type Entry, type ServerEvent } from '@parley/protocol';
import { audit } from './support/audit.ts';
import { crashAt, freezeAt, loseAt, replace, spy } from './support/intercept.ts';
import { Shuffle } from './support/shuffle.ts';
import { sendBody, Stage, type Socket } from './support/stage.ts';

const zero = { seq: 0, id: '0' };

let stage: Stage;
let ana: Socket;
let ben: Socket;
let cleo: Socket;
let group: string;

async function open(): Promise<void> {
  stage = new Stage();
  ana = await stage.connect('ana');
  ben = await stage.connect('ben');
  cleo = await stage.connect('cleo');
  group = await stage.group(ana, ben);
  await ana.send(group, 'before');
  await stage.settled();
}
beforeEach(open);

const asked = (userId?: string) => ({
  ...{ conversationId: group, clientRequestId: randomUUID() },
  ...(userId !== undefined && { userId }),
});
const read = async (socket = ana): Promise<Entry[]> =>
  (await socket.ok('log.sync', { conversationId: group, after: zero })).entries;
const isTaking = ({ method }: { readonly method: string }): boolean => method === 'takeNumber';
const membersOf = async (socket = ana): Promise<string[]> =>
  (await socket.ok('member.list', { conversationId: group })).members.map(({ userId }) => userId).sort();
const since = (socket: Socket, from: number): ServerEvent[] => socket.events.slice(from);
const seqsOf = (events: readonly ServerEvent[]): number[] =>
  events.flatMap(({ type, body }) => (type === 'entry' ? [body.seq] : []));

describe('adding a member', () => {
  it('is an entry for everybody; who was added is told of the conversation first', async () => {
    const { id, seq, sentAtMs } = await ana.ok('member.add', asked('cleo'));
    await stage.settled();
    const entry = {
      ...{ conversationId: group, id, seq, sentAtMs, senderId: 'ana' },
      ...{ kind: 'member', userId: 'cleo', change: 'joined', role: 'member' },
    };
    expect((await read()).at(-1)).toEqual(entry);
    expect(ben.events.at(-1)).toEqual({ type: 'entry', body: entry });
    const [added, told] = cleo.events;
    expect(added).toMatchObject({
      type: 'conversation',
      body: { change: 'added', conversation: { conversationId: group, memberCount: 3, me: { joinedSeq: seq - 1 } } },
    });
    expect(told).toEqual({ type: 'entry', body: entry });
    expect(cleo.events).toHaveLength(2);
  });

  it('shows what is said from then on, and nothing from before, whichever way one asks', async () => {
    const { id: early } = (await read())[0]!;
    const { seq } = await ana.ok('member.add', asked('cleo'));
    await ana.send(group, 'after');
    await stage.settled();
    const expected = (await read()).filter((entry) => entry.seq >= seq);
    expect(expected).toHaveLength(2);
    const synced = await cleo.ok('log.sync', { conversationId: group, after: zero });
    expect(synced).toMatchObject({ entries: expected, completeToSeq: seq + 1, limited: false });
    const paged = await cleo.ok('log.page', { conversationId: group, limit: 2 });
    expect(paged).toEqual({ entries: [...expected].reverse() });
    expect(await cleo.ok('log.page', { conversationId: group, beforeId: expected[0]!.id })).toEqual({ entries: [] });
    for (const cursors of [{}, { [group]: { ...zero, epoch: 1 } }]) {
      const { conversations } = await cleo.ok('session.start', { cursors });
      expect(conversations).toMatchObject([{ entries: expected, completeToSeq: seq + 1, limited: false }]);
    }
    expect(seqsOf(cleo.events)).toEqual([seq, seq + 1]);
    for (const field of ['replyToId', 'threadId']) {
      const refused = await cleo.refused('message.send', { ...sendBody(group, 'x'), [field]: early });
      expect(refused).toMatchObject({ code: 'NOT_FOUND' });
    }
  });

  it('keeps from a new member a message that is repeated late', async () => {
    const body = sendBody(group, 'before cleo');
    await ben.ok('message.send', body);
    await ana.ok('member.add', asked('cleo'));
    await stage.settled();
    stage.clock.advance(3_600_000);
    const from = cleo.events.length;
    await ben.ok('message.send', body);
    await stage.settled();
    expect(since(cleo, from)).toEqual([]);
  });

  it('is the owner’s, of users who are no members, in groups', async () => {
    expect(await ben.refused('member.add', asked('cleo'))).toMatchObject({ code: 'FORBIDDEN' });
    expect(await ana.refused('member.add', asked('ben'))).toMatchObject({ code: 'CONFLICT' });
    expect(await ana.refused('member.add', asked('nobody'))).toMatchObject({ code: 'NOT_FOUND' });
    const direct = await ana.ok('conversation.create', { clientRequestId: 'd', type: 'direct', memberIds: ['ben'] });
    const { conversationId } = direct.conversation;
    for (const [action, more] of [
      ['member.add', { userId: 'cleo' }],
      ['member.remove', { userId: 'ben' }],
      ['conversation.leave', {}],
    ] as const) {
      const refused = await ana.refused(action, { conversationId, clientRequestId: randomUUID(), ...more });
      expect(refused).toMatchObject({ code: 'FORBIDDEN' });
    }
    expect(await membersOf()).toEqual(['ana', 'ben']);
  });
});

describe('removing a member', () => {
  it('tells the others by an entry, and the member that it is over, and nothing after it', async () => {
    const [from, benFrom] = [ana.events.length, ben.events.length];
    const { seq } = await ana.ok('member.remove', asked('ben'));
    await ana.send(group, 'without ben');
    await ana.ok('typing.set', { conversationId: group, typing: true });
    await ana.ok('receipt.set', { conversationId: group, readSeq: seq });
    await stage.settled();
    expect(since(ben, benFrom)).toEqual([
      { type: 'conversation', body: { change: 'removed', conversation: { conversationId: group } } },
    ]);
    expect(seqsOf(since(ana, from))).toContain(seq);
    expect((await read()).at(-2)).toMatchObject({ kind: 'member', userId: 'ben', change: 'left', senderId: 'ana' });
  });

  it('makes the conversation one that never was, byte for byte, for whoever was removed', async () => {
    await ana.ok('member.remove', asked('ben'));
    const BODIES: Partial<Record<ActionName, object>> = {
      'message.send': sendBody('', 'hello'),
      'message.edit': { clientRequestId: 'e', targetId: '1', content: { type: 'text', text: 'x' } },
      'message.delete': { clientRequestId: 'd', targetId: '1' },
      'log.sync': { after: zero },
      'log.page': {},
      'receipt.set': { readSeq: 1 },
      'receipts.get': {},
      'typing.set': { typing: true },
      'conversation.get': {},
      'conversation.leave': { clientRequestId: 'l' },
      'member.list': {},
      'member.add': { clientRequestId: 'a', userId: 'cleo' },
      'member.remove': { clientRequestId: 'r', userId: 'ana' },
    };
    for (const [action, body] of Object.entries(BODIES)) {
      const ask = (conversationId: string) =>
        ben.raw(JSON.stringify({ action, id: '17', body: { ...body, conversationId } }));
      expect(await ask(group)).toBe(await ask('g_unknown'));
      expect(JSON.parse(await ask(group))).toMatchObject({ ok: false, error: { code: 'NOT_FOUND' } });
    }
    const { conversations, gone } = await ben.ok('session.start', { cursors: { [group]: { ...zero, epoch: 1 } } });
    expect({ conversations, gone }).toEqual({ conversations: [], gone: [group] });
    expect((await ben.ok('heartbeat', { heads: { [group]: 0 } })).behind).toEqual([]);
  });

  it('is the owner’s, and of members', async () => {
    expect(await ben.refused('member.remove', asked('ana'))).toMatchObject({ code: 'FORBIDDEN' });
    expect(await ana.refused('member.remove', asked('cleo'))).toMatchObject({ code: 'NOT_FOUND' });
    expect(await ana.refused('member.remove', asked('ana'))).toMatchObject({ code: 'CONFLICT' });
  });

  it('is seen by a send that has read the roster before, and takes its number after', async () => {
    const { services: spied, calls } = spy(stage.services);
    await ana.ok('message.send', sendBody(group, 'to count the calls'), spied);
    const { services, frozen, thaw } = freezeAt(stage.services, calls.findIndex(isTaking) + 1);
    const sending = ana.request('message.send', sendBody(group, 'in flight'), services);
    await frozen;
    const { seq } = await ana.ok('member.remove', asked('ben'));
    const from = ben.events.length;
    thaw();
    const sent = await sending;
    await stage.settled();
    expect(sent).toMatchObject({ ok: true, body: { seq: seq + 1 } });
    expect(seqsOf(since(ben, from))).toEqual([]);
  });

  it('lets a member come back who sees nothing of the time between, and no event of an older change misleads', async () => {
    await ana.ok('member.remove', asked('ben'));
    await ana.send(group, 'while ben is away');
    const from = ben.events.length;
    const { seq } = await ana.ok('member.add', asked('ben'));
    await stage.settled();
    expect(since(ben, from).at(-1)).toMatchObject({ type: 'entry', body: { seq } });
    expect((await read(ben)).map((entry) => entry.seq)).toEqual([seq]);
    // The removal is published once more: by now it is not so any more.
    const removal = (await stage.log.after(ana.keyOf(group), '0', 10)).find(({ body }) => body?.includes('left'))!;
    const before = ben.events.length;
    await stage.services.repairs.request({
      ...{ type: 'repair', conversation: ana.keyOf(group), seqs: [removal.seq], republish: true },
    });
    await stage.settled();
    expect(since(ben, before)).toEqual([]);
  });
});

describe('leaving', () => {
  it('is for everybody, is told like a removal, and a repeat is answered as before', async () => {
    const leaving = asked();
    const from = ben.events.length;
    const first = await ben.ok('conversation.leave', leaving);
    await stage.settled();
    expect(since(ben, from)).toEqual([
      { type: 'conversation', body: { change: 'removed', conversation: { conversationId: group } } },
    ]);
    expect((await read()).at(-1)).toMatchObject({ kind: 'member', userId: 'ben', change: 'left', senderId: 'ben' });
    expect(await ben.ok('conversation.leave', leaving)).toEqual(first);
    expect(await ben.refused('conversation.leave', asked())).toMatchObject({ code: 'NOT_FOUND' });
    expect(await membersOf()).toEqual(['ana']);
  });

  it('hands the group on when its owner goes', async () => {
    await ana.ok('conversation.leave', asked());
    const { conversation } = await ben.ok('conversation.get', { conversationId: group });
    expect(conversation).toMatchObject({ memberCount: 1, me: { role: 'owner' } });
    await ben.ok('member.add', asked('cleo'));
    expect(await membersOf(ben)).toEqual(['ben', 'cleo']);
  });
});

describe('a large group', () => {
  it('gets an entry to whoever is a member when its number is taken, and to nobody else', async () => {
    const people = await Promise.all(
      Array.from({ length: LIMITS.rosterInlineMax + 1 }, (_, i) => stage.connect(`user${String(i)}`)),
    );
    group = await stage.group(ana, ...people);
    const [first, second] = people as [Socket, Socket];
    await ana.ok('member.remove', asked(first.userId));
    await ana.ok('member.add', asked('cleo'));
    await stage.settled();
    const froms = [first, second, cleo].map(({ events }) => events.length);
    const { seq } = await ana.send(group, 'hello');
    await stage.settled();
    expect([first, second, cleo].map((socket, i) => seqsOf(since(socket, froms[i]!)))).toEqual([[], [seq], [seq]]);
  });
});

describe('a change whose sender dies, or loses one answer', () => {
  const changes = {
    'member.add': () => asked('cleo'),
    'member.remove': () => asked('ben'),
    'conversation.leave': () => asked(),
  } as const;
  type Change = keyof typeof changes;
  const actorOf = (action: Change): Socket => (action === 'conversation.leave' ? ben : ana);

  const callsOf = async (action: Change): Promise<number> => {
    await open();
    const { services, calls } = spy(stage.services);
    await actorOf(action).ok(action, changes[action](), services);
    return calls.length;
  };
  const changesIn = (entries: readonly Entry[]) => entries.flatMap((entry) => (entry.kind === 'member' ? [entry] : []));

  it.each(Object.keys(changes) as Change[])('%s: a repeat ends in one entry and one change', async (action) => {
    const calls = await callsOf(action);
    expect(calls).toBeGreaterThan(5);
    for (const disturb of [crashAt, loseAt]) {
      for (const moment of ['before', 'after'] as const) {
        for (let n = 1; n <= calls; n++) {
          await open();
          const body = changes[action]();
          await actorOf(action).request(action, body, disturb(stage.services, n, moment).services);
          if (n % 2 === 0) await stage.repaired();
          const answer = await actorOf(action).ok(action, body);
          await stage.repaired();
          expect({ n, changes: changesIn(await read()) }).toMatchObject({ n, changes: [{ seq: answer.seq }] });
          expect(await membersOf()).toEqual(action === 'member.add' ? ['ana', 'ben', 'cleo'] : ['ana']);
          expect((await audit(stage, ana.keyOf(group), 'ana')).pending).toEqual([]);
        }
      }
    }
  });

  it.each(Object.keys(changes) as Change[])(
    '%s: without a repeat nothing has changed, or all has, and everybody is told',
    async (action) => {
      const calls = await callsOf(action);
      const outcomes = new Set<string>();
      for (const moment of ['before', 'after'] as const) {
        for (let n = 1; n <= calls; n++) {
          await open();
          const [benFrom, cleoFrom] = [ben.events.length, cleo.events.length];
          await actorOf(action).request(action, changes[action](), crashAt(stage.services, n, moment).services);
          stage.clock.advance(20_000);
          // Whoever has the conversation open has the number called void before the outbox is read.
          if (n % 2 === 0) await read();
          await stage.repaired();
          const members = await membersOf();
          const hasChanged = members.join() !== 'ana,ben';
          outcomes.add(hasChanged ? 'all' : 'nothing');
          expect({ n, count: changesIn(await read()).length }).toEqual({ n, count: hasChanged ? 1 : 0 });
          const told = since(action === 'member.add' ? cleo : ben, action === 'member.add' ? cleoFrom : benFrom);
          const change = action === 'member.add' ? 'added' : 'removed';
          expect({ n, told: told.some(({ type, body }) => type === 'conversation' && body.change === change) }).toEqual(
            {
              ...{ n, told: hasChanged },
            },
          );
        }
      }
      expect([...outcomes].sort()).toEqual(['all', 'nothing']);
    },
  );

  it('happens once when several devices ask for it at the same moment', async () => {
    for (let seed = 0; seed < 20; seed++) {
      await open();
      const services = new Shuffle(seed).wrap(stage.services);
      const body = asked('cleo');
      const answers = await Promise.all([
        ...[1, 2, 3].map(() => ana.ok('member.add', body, services)),
        ben.ok('message.send', sendBody(group, 'meanwhile'), services),
      ]);
      expect(new Set(answers.slice(0, 3).map(({ seq }) => seq)).size).toBe(1);
      expect(changesIn(await read())).toHaveLength(1);
      expect((await audit(stage, ana.keyOf(group), 'ana')).pending).toEqual([]);
    }
  });

  it('does not hold up a group in which much is said: numbers that others take are taken into account', async () => {
    let interfered = 0;
    const services = replace(stage.services, 'directory', {
      changeRoster: async ({ proceed }) => {
        if (interfered++ < 3) await ben.send(group, 'in between');
        return proceed();
      },
    });
    await ana.ok('member.add', asked('cleo'), services);
    expect(interfered).toBeGreaterThan(0);
    expect(await membersOf()).toContain('cleo');
  });
});
