import { LIMITS } from '@parley/protocol';
import type { Page } from '../../../lambdas/ports/directory/port.ts';
import { splitKey } from '../../../lambdas/runtime/keys.ts';
import { times, unique } from '../contract.ts';
import { Workspace, type DirectoryContext } from './context.ts';

/** Reads all pages; each must be within the limit. */
export async function allPages<T>(
  limit: number,
  read: (after: string | undefined, limit: number) => Promise<Page<T>>,
): Promise<T[]> {
  const items: T[] = [];
  let after: string | undefined;
  do {
    const page = await read(after, limit);
    expect(page.items.length).toBeLessThanOrEqual(limit);
    items.push(...page.items);
    after = page.next;
  } while (after !== undefined);
  return items;
}

export function conversationTests(at: DirectoryContext): void {
  let workspace: Workspace;

  beforeEach(() => {
    workspace = new Workspace(at);
  });

  describe('a conversation', () => {
    it('is made with its head and its roster, and each member sees it', async () => {
      const made = workspace.newConversation(['ana', 'ben'], { title: 'Tea \u{1F375}' });
      expect(await at.port.createConversation(made)).toBe(true);
      const seen = await at.port.membership(made.conversation, 'ben');
      const { type, title, createdAtMs, requestHash } = made;
      expect(seen?.head).toMatchObject({ type, title, createdAtMs, requestHash });
      expect(seen?.head).toMatchObject({ seq: 0, lastId: '0', memberCount: 2, rosterVersion: 1 });
      expect(seen?.head.epoch).toBeGreaterThanOrEqual(1);
      expect(seen?.me).toEqual({ userId: 'ben', role: 'member', joinedSeq: 0, deliveredSeq: 0, readSeq: 0 });
      const seats = [...(seen?.roster ?? [])].sort((a, b) => (a.userId < b.userId ? -1 : 1));
      expect(seats).toMatchObject([
        { userId: 'ana', role: 'owner', joinedSeq: 0 },
        { userId: 'ben', role: 'member', joinedSeq: 0 },
      ]);
    });

    it('without a title has none', async () => {
      const conversation = await workspace.create('ana');
      expect(await workspace.head(conversation, 'ana')).not.toHaveProperty('title');
    });

    it('is made once: a second attempt changes nothing and says so', async () => {
      const made = workspace.newConversation(['ana', 'ben']);
      await at.port.createConversation(made);
      const before = await at.port.membership(made.conversation, 'ana');
      const again = {
        ...workspace.newConversation(['cleo'], { title: 'Mine', requestHash: 'other' }),
        conversation: made.conversation,
      };
      expect(await at.port.createConversation(again)).toBe(false);
      expect(await at.port.membership(made.conversation, 'ana')).toEqual(before);
      expect(await at.port.membership(made.conversation, 'cleo')).toBeUndefined();
      expect((await at.port.conversationsOf(workspace.user('cleo'), undefined, 9)).items).toEqual([]);
    });

    it('is made by just one of 20 at the same moment, all or nothing', async () => {
      const conversation = workspace.conversation();
      const attempts = times(20, (i) => ({
        ...workspace.newConversation([`user${i}`, 'ana']),
        conversation,
        requestHash: `${i}`,
      }));
      const made = await Promise.all(attempts.map((attempt) => at.port.createConversation(attempt)));
      const winners = attempts.filter((_, i) => made[i]);
      expect(winners).toHaveLength(1);
      expect((await workspace.head(conversation, 'ana')).requestHash).toBe(winners[0]!.requestHash);
      const { items } = await at.port.members(conversation, undefined, 100);
      expect(items.map(({ userId }) => userId).sort()).toEqual(winners[0]!.members.map(({ userId }) => userId).sort());
      for (const { members } of attempts) {
        const { userId } = members[0]!;
        const listed = (await at.port.conversationsOf(workspace.user(userId), undefined, 9)).items;
        expect(listed).toEqual(userId === winners[0]!.members[0]!.userId ? [conversation] : []);
      }
    });

    it('is undefined for a stranger as for one that does not exist', async () => {
      const conversation = await workspace.create('ana');
      expect(await at.port.membership(conversation, 'ben')).toBeUndefined();
      expect(await at.port.membership(workspace.conversation(), 'ana')).toBeUndefined();
    });

    it('carries its roster up to 32 members, and not beyond', async () => {
      const users = times(LIMITS.rosterInlineMax + 1, (i) => `user${i}`);
      const [small, large] = [await workspace.create(...users.slice(1)), await workspace.create(...users)];
      expect((await at.port.membership(small, 'user1'))?.roster).toHaveLength(LIMITS.rosterInlineMax);
      const found = await at.port.membership(large, 'user1');
      expect(found).not.toHaveProperty('roster');
      expect(found).toMatchObject({ head: { memberCount: 33 }, me: { userId: 'user1', role: 'member' } });
    });

    it('may have as many members as a group may, and each has it', async () => {
      const users = times(LIMITS.groupMembersMax, (i) => `user${i}`);
      const conversation = await workspace.create(...users);
      for (const userId of [users[0]!, users[99]!, users[499]!]) {
        expect((await at.port.membership(conversation, userId))?.me.userId).toBe(userId);
        expect((await at.port.conversationsOf(workspace.user(userId), undefined, 9)).items).toEqual([conversation]);
      }
      const members = await allPages(100, (after, limit) => at.port.members(conversation, after, limit));
      expect(members.map(({ userId }) => userId).sort()).toEqual([...users].sort());
    });
  });

  describe('many conversations at once', () => {
    it('are given in the order asked for, without those of others', async () => {
      const mine = [
        await workspace.create('ana', 'ben'),
        await workspace.create('ana'),
        await workspace.create('ben', 'ana'),
      ];
      const foreign = await workspace.create('ben');
      const asked = [mine[2]!, foreign, mine[0]!, workspace.conversation(), mine[1]!];
      const found = await at.port.memberships(asked, 'ana');
      expect([...found.keys()]).toEqual([mine[2], mine[0], mine[1]]);
      for (const [key, membership] of found) expect(membership).toEqual(await at.port.membership(key, 'ana'));
      expect(await at.port.memberships([], 'ana')).toEqual(new Map());
    });

    it('may be as many as a session names', async () => {
      const conversation = await workspace.create('ana');
      const asked = [...times(LIMITS.cursorsMax - 1, () => workspace.conversation()), conversation];
      expect([...(await at.port.memberships(asked, 'ana')).keys()]).toEqual([conversation]);
    });

    it('of a user are listed in the order of their ids, each once, whatever the page', async () => {
      const made = await Promise.all(times(23, () => workspace.create('ana', 'ben')));
      await workspace.create('ben');
      const ids = made.map((key) => splitKey(key).id).sort();
      for (const limit of [1, 5, 23, 50]) {
        const listed = await allPages(limit, (after, n) => at.port.conversationsOf(workspace.user('ana'), after, n));
        expect(listed.map((key) => splitKey(key).id)).toEqual(ids);
      }
      const after = ids[10]!;
      const { items } = await at.port.conversationsOf(workspace.user('ana'), after, 3);
      expect(items.map((key) => splitKey(key).id)).toEqual(ids.slice(11, 14));
      expect(await at.port.conversationsOf(workspace.user(unique('u')), undefined, 9)).toEqual({ items: [] });
    });

    it('of the same user in two workspaces never meet', async () => {
      const other = new Workspace(at);
      const [here, there] = [await workspace.create('ana'), await other.create('ana')];
      expect((await at.port.conversationsOf(workspace.user('ana'), undefined, 9)).items).toEqual([here]);
      expect((await at.port.conversationsOf(other.user('ana'), undefined, 9)).items).toEqual([there]);
      const sameId = other.conversation(splitKey(here).id);
      expect(await at.port.membership(sameId, 'ana')).toBeUndefined();
      expect(await at.port.createConversation({ ...other.newConversation(['ana']), conversation: sameId })).toBe(true);
    });
  });

  describe('the members of a conversation', () => {
    it('are listed in one order, each once, whatever the page', async () => {
      const users = times(40, (i) => `user${i}`);
      const conversation = await workspace.create(...users);
      const order: string[][] = [];
      for (const limit of [1, 7, 40, 100]) {
        const listed = await allPages(limit, (after, n) => at.port.members(conversation, after, n));
        expect(listed.find(({ userId }) => userId === 'user0')?.role).toBe('owner');
        order.push(listed.map(({ userId }) => userId));
      }
      for (const listed of order) expect(listed).toEqual(order[0]);
      expect([...order[0]!].sort()).toEqual([...users].sort());
      expect(await at.port.members(workspace.conversation(), undefined, 9)).toEqual({ items: [] });
    });
  });

  describe('receipts', () => {
    const raise = (
      conversation: ReturnType<Workspace['conversation']>,
      userId: string,
      deliveredSeq: number,
      readSeq: number,
    ) => at.port.raiseReceipt(conversation, { userId, deliveredSeq, readSeq });

    it('only rise, each by itself, and say what now holds and whether it is new', async () => {
      const conversation = await workspace.create('ana', 'ben');
      const hold = (deliveredSeq: number, readSeq: number, raised: boolean) => ({
        receipt: { userId: 'ana', deliveredSeq, readSeq },
        raised,
      });
      expect(await raise(conversation, 'ana', 5, 2)).toEqual(hold(5, 2, true));
      expect(await raise(conversation, 'ana', 5, 2)).toEqual(hold(5, 2, false));
      expect(await raise(conversation, 'ana', 3, 4)).toEqual(hold(5, 4, true));
      expect(await raise(conversation, 'ana', 9, 1)).toEqual(hold(9, 4, true));
      expect(await raise(conversation, 'ana', 0, 0)).toEqual(hold(9, 4, false));
      expect((await at.port.membership(conversation, 'ana'))?.me).toMatchObject({ deliveredSeq: 9, readSeq: 4 });
      expect((await at.port.membership(conversation, 'ben'))?.me).toMatchObject({ deliveredSeq: 0, readSeq: 0 });
    });

    it('know that what is read has come', async () => {
      const conversation = await workspace.create('ana');
      expect((await raise(conversation, 'ana', 0, 7)).receipt).toMatchObject({ deliveredSeq: 7, readSeq: 7 });
      expect((await raise(conversation, 'ana', 3, 8)).receipt).toMatchObject({ deliveredSeq: 8, readSeq: 8 });
    });

    it('end at the highest of many at the same moment, in small conversations and in large ones', async () => {
      for (const size of [2, 40]) {
        const conversation = await workspace.create('ana', ...times(size - 1, (i) => `user${i}`));
        const wanted = times(30, (i) => ({ deliveredSeq: (i * 7) % 30, readSeq: (i * 11) % 23 }));
        const answers = await Promise.all(
          wanted.map((one) => raise(conversation, 'ana', one.deliveredSeq, one.readSeq)),
        );
        answers.forEach(({ receipt }, i) => {
          expect(receipt.readSeq).toBeGreaterThanOrEqual(wanted[i]!.readSeq);
          expect(receipt.deliveredSeq).toBeGreaterThanOrEqual(Math.max(receipt.readSeq, wanted[i]!.deliveredSeq));
        });
        const now = { userId: 'ana', deliveredSeq: 29, readSeq: Math.max(...wanted.map(({ readSeq }) => readSeq)) };
        expect(await raise(conversation, 'ana', 0, 0)).toEqual({ receipt: now, raised: false });
        const { items } = await at.port.members(conversation, undefined, 100);
        expect(items.find(({ userId }) => userId === 'ana')).toMatchObject(now);
        expect((await at.port.membership(conversation, 'ana'))?.me).toMatchObject(now);
      }
    });

    it('of different members at the same moment are all kept', async () => {
      const users = times(20, (i) => `user${i}`);
      const conversation = await workspace.create(...users);
      await Promise.all(users.map((userId, i) => raise(conversation, userId, i + 1, i)));
      for (const [i, userId] of users.entries()) {
        expect((await at.port.membership(conversation, userId))?.me).toMatchObject({ deliveredSeq: i + 1, readSeq: i });
      }
    });

    it('are none of a stranger', async () => {
      const conversation = await workspace.create('ana');
      expect(await raise(conversation, 'ben', 3, 3)).toMatchObject({ raised: false });
      expect(await at.port.membership(conversation, 'ben')).toBeUndefined();
    });
  });
}
