import { LIMITS, utf8Bytes, type Reply } from '@parley/protocol';
import { Shuffle } from './support/shuffle.ts';
import { Stage, type Socket } from './support/stage.ts';

let stage: Stage;
let ana: Socket;
let ben: Socket;
let cleo: Socket;

beforeEach(async () => {
  stage = new Stage();
  ana = await stage.connect('ana');
  ben = await stage.connect('ben');
  cleo = await stage.connect('cleo');
});

const direct = (to: string, clientRequestId = 'r') => ({ clientRequestId, type: 'direct', memberIds: [to] });
const groupOf = (memberIds: string[], more: object = {}) => ({
  clientRequestId: 'r',
  type: 'group',
  memberIds,
  ...more,
});

describe('a direct conversation', () => {
  it('is the same one for the pair, whoever asks and however often', async () => {
    const { conversation } = await ana.ok('conversation.create', direct('ben'));
    const again = await ben.ok('conversation.create', direct('ana', 'other'));
    expect(again.conversation.conversationId).toBe(conversation.conversationId);
    expect(conversation).toMatchObject({
      type: 'direct',
      memberCount: 2,
      headSeq: 0,
      me: { role: 'member', joinedSeq: 0 },
    });
    const others = [
      await ana.ok('conversation.create', direct('cleo')),
      await ben.ok('conversation.create', direct('cleo')),
    ];
    expect(
      new Set([conversation, ...others.map((one) => one.conversation)].map((one) => one.conversationId)).size,
    ).toBe(3);
  });

  it('is made once when both ask at the same moment', async () => {
    for (let seed = 1; seed <= 10; seed++) {
      stage = new Stage();
      [ana, ben] = [await stage.connect('ana'), await stage.connect('ben')];
      const services = new Shuffle(seed).wrap(stage.services);
      const made = await Promise.all([
        ana.ok('conversation.create', direct('ben'), services),
        ben.ok('conversation.create', direct('ana'), services),
      ]);
      expect(made[0].conversation.conversationId).toBe(made[1].conversation.conversationId);
      await stage.settled();
      expect([...ana.events, ...ben.events].map(({ type }) => type)).toEqual(['conversation']);
    }
  });

  it('has exactly one other member, who exists, and no title', async () => {
    for (const memberIds of [[], ['ana'], ['ben', 'cleo']]) {
      const error = await ana.refused('conversation.create', { ...direct('ben'), memberIds });
      expect(error).toMatchObject({ code: 'VALIDATION_FAILED' });
    }
    expect(await ana.refused('conversation.create', { ...direct('ben'), title: 'x' })).toMatchObject({
      code: 'VALIDATION_FAILED',
    });
    expect(await ana.refused('conversation.create', direct('nobody'))).toMatchObject({ code: 'NOT_FOUND' });
    await stage.directory.setUserState(cleo.user, 'suspended');
    expect(await ana.refused('conversation.create', direct('cleo'))).toEqual(
      await ana.refused('conversation.create', direct('nobody')),
    );
  });
});

describe('a group', () => {
  it('belongs to its maker, has each member once, and is told to the others and to no stranger', async () => {
    const tablet = await stage.connect('ana', { deviceId: 'tablet' });
    const { conversation } = await ana.ok('conversation.create', groupOf(['ben', 'ben', 'ana'], { title: 'Tea' }));
    expect(conversation).toMatchObject({ type: 'group', title: 'Tea', memberCount: 2, createdAtMs: stage.clock.now() });
    expect(conversation.members).toEqual([
      { userId: 'ana', role: 'owner' },
      { userId: 'ben', role: 'member' },
    ]);
    await stage.settled();
    const mine = { ...conversation, me: { role: 'member', joinedSeq: 0, deliveredSeq: 0, readSeq: 0 } };
    expect(ben.events).toEqual([{ type: 'conversation', body: { change: 'added', conversation: mine } }]);
    expect(tablet.events).toMatchObject([{ body: { conversation: { me: { role: 'owner' } } } }]);
    expect([...ana.events, ...cleo.events]).toEqual([]);
  });

  it('is not made twice by a repeat, and a repeat that asks for something else is a conflict', async () => {
    const first = await ana.ok('conversation.create', groupOf(['ben'], { title: 'Tea' }));
    expect(await ana.ok('conversation.create', groupOf(['ana', 'ben'], { title: 'Tea' }))).toEqual(first);
    for (const other of [
      groupOf(['ben']),
      groupOf(['ben', 'cleo'], { title: 'Tea' }),
      groupOf(['ben'], { title: 'tea' }),
    ]) {
      expect(await ana.refused('conversation.create', other)).toMatchObject({ code: 'CONFLICT' });
    }
    const theirs = await ben.ok('conversation.create', groupOf(['ana'], { title: 'Tea' }));
    expect(theirs.conversation.conversationId).not.toBe(first.conversation.conversationId);
    await stage.settled();
    expect(ben.events).toHaveLength(1);
  });

  it('may have its maker alone, and at most 500 members', async () => {
    expect((await ana.ok('conversation.create', groupOf([]))).conversation.memberCount).toBe(1);
    const many = Array.from({ length: 500 }, (_, i) => `user${i}`);
    for (const userId of many) await stage.directory.admitUser(`w1/${userId}` as Socket['user'], undefined);
    const error = await ana.refused('conversation.create', groupOf(many, { clientRequestId: 'many' }));
    expect(error).toMatchObject({ code: 'VALIDATION_FAILED' });
    const most = await ana.ok('conversation.create', groupOf(many.slice(1), { clientRequestId: 'most' }));
    expect(most.conversation.memberCount).toBe(LIMITS.groupMembersMax);
    expect(most.conversation).not.toHaveProperty('members');
  });

  it('is not made by a connection that was revoked', async () => {
    await stage.directory.removeConnection(ana.user, ana.connectionId);
    expect(await ana.refused('conversation.create', groupOf(['ben']))).toMatchObject({ code: 'UNAUTHENTICATED' });
  });
});

describe('the lists', () => {
  it('of conversations names each of the caller once, in pages that fit into a message', async () => {
    const crowd = Array.from(
      { length: 31 },
      (_, i) => `${'m'.repeat(LIMITS.userIdMaxChars - 3)}${String(i).padStart(3, '0')}`,
    );
    for (const userId of crowd) await stage.directory.admitUser(`w1/${userId}` as Socket['user'], undefined);
    const made: string[] = [];
    for (let i = 0; i < 41; i++) {
      stage.clock.advance(1_000);
      const body = { clientRequestId: `r${i}`, type: 'group', memberIds: crowd, title: '\u{1F469}'.repeat(50) };
      made.push((await ana.ok('conversation.create', body)).conversation.conversationId);
    }
    await cleo.ok('conversation.create', direct('ben'));
    const got: string[] = [];
    let page: string | undefined;
    let pages = 0;
    do {
      const answer: Reply<'conversation.list'> = await ana.ok('conversation.list', page === undefined ? {} : { page });
      expect(utf8Bytes(JSON.stringify(answer))).toBeLessThan(LIMITS.messageMaxBytes);
      got.push(...answer.conversations.map(({ conversationId }) => conversationId));
      page = answer.nextPage;
      pages++;
    } while (page !== undefined);
    expect(got).toEqual([...made].sort());
    expect(pages).toBe(3);
  });

  it('of members names each once, with the role, a page at a time', async () => {
    const many = Array.from({ length: 149 }, (_, i) => `user${i}`);
    for (const userId of many) await stage.directory.admitUser(`w1/${userId}` as Socket['user'], undefined);
    const { conversation } = await ana.ok('conversation.create', groupOf(many));
    const { conversationId } = conversation;
    const first = await ana.ok('member.list', { conversationId });
    const second = await ana.ok('member.list', { conversationId, page: first.nextPage });
    const all = [...first.members, ...second.members];
    expect([first.members.length, all.length, second.nextPage]).toEqual([100, 150, undefined]);
    expect(all.filter(({ role }) => role === 'owner')).toEqual([{ userId: 'ana', role: 'owner' }]);
  });

  it('of people names the active ones of the workspace, with the names of their tokens', async () => {
    await stage.directory.admitUser(ben.user, 'Ben');
    await stage.directory.setUserState(cleo.user, 'deleted');
    await stage.connect('dora', { workspaceId: 'w2' });
    expect(await ana.ok('workspace.members', {})).toEqual({
      members: [{ userId: 'ana' }, { userId: 'ben', name: 'Ben' }],
    });
  });
});
