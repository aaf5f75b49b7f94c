import { compareIds, LIMITS } from '@parley/protocol';
import type { DedupeKey, DedupeRow, RosterChange, RosterRequest, Seat } from '../../../lambdas/ports/directory/port.ts';
import { splitKey, type ConversationKey } from '../../../lambdas/runtime/keys.ts';
import { times, unique } from '../contract.ts';
import { numberRequest, Workspace, type DirectoryContext } from './context.ts';
import { allPages } from './conversations.ts';

export function rosterTests(at: DirectoryContext): void {
  let workspace: Workspace;
  let conversation: ConversationKey;

  const add = (userId: string): RosterChange => ({ type: 'add', userId, role: 'member' });
  const remove = (userId: string): RosterChange => ({ type: 'remove', userId });
  const request = async (change: RosterChange, more: Partial<RosterRequest> = {}): Promise<RosterRequest> => {
    const { rosterVersion = 0 } = (await at.port.head(conversation)) ?? {};
    const sentAtMs = at.clock.now();
    return {
      ...numberRequest(conversation, '1000', { rosterVersion }),
      change,
      key: { conversation, userId: 'ana', clientKey: unique() },
      row: { bodyHash: 'hash', sentAtMs, expiresAtMs: sentAtMs + 3_600_000, intent: INTENT },
      ...more,
    };
  };
  const change = async (wanted: RosterChange): Promise<DedupeRow> => {
    const row = await at.port.changeRoster(await request(wanted));
    if (!row) throw new Error('the roster was not changed');
    return row;
  };
  const standing = async (key: DedupeKey): Promise<DedupeRow | undefined> =>
    (await at.port.readForAppend(key, workspace.user('ana'), 'none')).dedupe;
  /** What each way of asking says of a conversation's members. */
  const rosters = async (asked: string) => {
    const listed = await allPages(100, (after, limit) => at.port.members(conversation, after, limit));
    const membership = await at.port.membership(conversation, asked);
    return {
      listed: seatsOf(listed),
      inline: membership?.roster && seatsOf(membership.roster),
      head: membership?.head,
    };
  };
  const hasPlace = async (userId: string): Promise<boolean> => {
    const { items } = await at.port.conversationsOf(workspace.user(userId), undefined, 100);
    return items.includes(conversation);
  };

  beforeEach(async () => {
    workspace = new Workspace(at);
    conversation = await workspace.create('ana', 'ben');
  });

  describe('a change of the roster', () => {
    it('takes the next number, raises the version, and stores the dedupe row as it was given', async () => {
      await at.port.takeNumber(numberRequest(conversation, '500'));
      const asked = await request(add('cleo'), { id: '9007199254740993', nonce: 'mine' });
      const row = await at.port.changeRoster(asked);
      expect(row).toEqual({ ...asked.row, id: '9007199254740993', seq: 2 });
      expect(await standing(asked.key)).toEqual(row);
      expect(await at.port.head(conversation)).toMatchObject({
        ...{ seq: 2, lastId: '9007199254740993', lastBy: 'mine' },
        ...{ rosterVersion: 2, memberCount: 3 },
      });
      expect(await at.port.idOf(conversation, 2)).toBe('9007199254740993');
    });

    it('adds a member, who sees entries from its number on, and has the conversation in every list', async () => {
      for (let i = 0; i < 3; i++) await at.port.takeNumber(numberRequest(conversation, '500'));
      await change(add('cleo'));
      const cleo = { userId: 'cleo', role: 'member', joinedSeq: 3 } as const;
      const membership = await at.port.membership(conversation, 'cleo');
      expect(membership?.me).toEqual({ ...cleo, deliveredSeq: 3, readSeq: 3 });
      const { listed, inline } = await rosters('ana');
      expect(listed).toContainEqual(cleo);
      expect(inline).toEqual(listed);
      expect(await hasPlace('cleo')).toBe(true);
    });

    it('removes a member, who is a stranger from then on, everywhere', async () => {
      await change(remove('ben'));
      expect(await at.port.membership(conversation, 'ben')).toBeUndefined();
      expect((await at.port.memberships([conversation], 'ben')).size).toBe(0);
      const read = { conversation, userId: 'ben', clientKey: unique() };
      expect(await at.port.readForAppend(read, workspace.user('ben'), 'none')).toEqual({ connected: false });
      expect(await hasPlace('ben')).toBe(false);
      expect(await hasPlace('ana')).toBe(true);
      expect(await at.port.raiseReceipt(conversation, { userId: 'ben', deliveredSeq: 1, readSeq: 1 })).toMatchObject({
        raised: false,
      });
      const { listed, inline, head } = await rosters('ana');
      expect(listed).toEqual([{ userId: 'ana', role: 'owner', joinedSeq: 0 }]);
      expect([inline, head?.memberCount]).toEqual([listed, 1]);
    });

    it('lets somebody come back as if for the first time', async () => {
      await at.port.raiseReceipt(conversation, { userId: 'ben', deliveredSeq: 1, readSeq: 1 });
      await change(remove('ben'));
      await at.port.takeNumber(numberRequest(conversation, '500', { rosterVersion: 2 }));
      await change(add('ben'));
      expect((await at.port.membership(conversation, 'ben'))?.me).toEqual({
        ...{ userId: 'ben', role: 'member', joinedSeq: 2 },
        ...{ deliveredSeq: 2, readSeq: 2 },
      });
    });

    it('leaves one owner when the owner goes, and the last member may go too', async () => {
      await change(add('cleo'));
      await change(remove('ana'));
      const { listed, inline } = await rosters('cleo');
      expect(listed.map(({ role }) => role).sort()).toEqual(['member', 'owner']);
      expect(inline).toEqual(listed);
      for (const { userId } of listed) await change(remove(userId));
      expect(await at.port.head(conversation)).toMatchObject({ memberCount: 0 });
      expect((await at.port.members(conversation, undefined, 10)).items).toEqual([]);
    });

    it('is not made with another version of the roster, for a key that is taken, or when it is so already', async () => {
      const before = await rosters('ana');
      const taken = await request(add('cleo'));
      await at.port.reserve(taken.key, { ...taken.row, id: '5', seq: 1 });
      const refused = [
        await request(add('cleo'), { rosterVersion: 2 }),
        taken,
        await request(add('ben')),
        await request(remove('cleo')),
        { ...(await request(add('cleo'))), conversation: workspace.conversation() },
      ];
      for (const one of refused) expect(await at.port.changeRoster(one)).toBeUndefined();
      expect(await rosters('ana')).toEqual(before);
      expect(await hasPlace('cleo')).toBe(false);
      expect(await standing(refused[0]!.key)).toBeUndefined();
    });

    it('is one of many at the same moment that say the same, and the others change nothing', async () => {
      const requests = await Promise.all(times(10, () => request(add('cleo'))));
      const rows = (await Promise.all(requests.map((one) => at.port.changeRoster(one)))).filter((row) => row);
      expect(rows).toHaveLength(1);
      expect(await at.port.head(conversation)).toMatchObject({ seq: 1, rosterVersion: 2, memberCount: 3 });
    });

    it('stands among numbers that others take meanwhile, each its own, in one order', async () => {
      const takes = times(20, () => at.port.takeNumber(numberRequest(conversation, '2000')));
      const [row, ...taken] = await Promise.all([change(add('cleo')), ...takes]);
      const others = taken.flatMap((one) => (one.taken ? [one] : []));
      const numbers = [row, ...others].sort((a, b) => a.seq - b.seq);
      expect(numbers.map(({ seq }) => seq)).toEqual(times(numbers.length, (i) => i + 1));
      numbers.slice(1).forEach(({ id }, i) => expect(compareIds(id, numbers[i]!.id)).toBeGreaterThan(0));
      // Whoever takes one later has read the old roster, and must read again.
      for (const { seq } of others) expect(seq).toBeLessThan(row.seq);
      expect(await at.port.head(conversation)).toMatchObject({ seq: numbers.length });
    });

    it('keeps the id of every number, also where the list of ids begins anew with it', async () => {
      const ids: string[] = [];
      for (let i = 0; i < LIMITS.headIdsMax * 2 + 3; i++) {
        ids.push((await change(i % 2 === 0 ? add('cleo') : remove('cleo'))).id);
      }
      for (const [i, id] of ids.entries()) expect(await at.port.idOf(conversation, i + 1)).toBe(id);
    });

    it('over the size up to which the roster is in one item, up and down, says the same everywhere', async () => {
      const users = times(LIMITS.rosterInlineMax, (i) => `user${i}`);
      conversation = await workspace.create(...users);
      for (const step of [add('x'), add('y'), remove('user5'), remove('x'), remove('user0'), add('z')]) {
        await change(step);
        const { listed, inline, head } = await rosters('user1');
        expect(head?.memberCount).toBe(listed.length);
        expect(inline).toEqual(listed.length <= LIMITS.rosterInlineMax ? listed : undefined);
        expect(listed.filter(({ role }) => role === 'owner')).toHaveLength(1);
        expect(listed.some(({ userId }) => userId === step.userId)).toBe(step.type === 'add');
        expect(await hasPlace(step.userId)).toBe(step.type === 'add');
      }
    });

    it('leaves one owner of a large conversation when the owner goes', async () => {
      conversation = await workspace.create(...times(40, (i) => `user${i}`));
      await change(remove('user0'));
      const { listed } = await rosters('user1');
      expect([listed.length, listed.filter(({ role }) => role === 'owner').length]).toEqual([39, 1]);
    });

    it('of one workspace is none of another', async () => {
      const there = new Workspace(at);
      const same = there.conversation(splitKey(conversation).id);
      await at.port.createConversation(there.newConversation(['ana', 'ben'], { conversation: same }));
      await change(remove('ben'));
      expect((await at.port.membership(same, 'ben'))?.head.memberCount).toBe(2);
    });
  });
}

const INTENT = {
  kind: 'member',
  senderId: 'ana',
  deviceId: 'phone',
  clientMessageId: 'key',
  body: '{"userId":"cleo","change":"joined"}',
} as const;

function seatsOf(members: readonly Seat[]): Seat[] {
  const seats = members.map(({ userId, role, joinedSeq }) => ({ userId, role, joinedSeq }));
  return seats.sort((a, b) => (a.userId < b.userId ? -1 : 1));
}
