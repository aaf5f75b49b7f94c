import { randomUUID } from 'node:crypto';
import { LIMITS, makeId } from '@parley/protocol';
import type { DynamoDirectory } from '../../lambdas/ports/directory/dynamodb.ts';
import { conversationKey, userKey, type ConversationKey } from '../../lambdas/runtime/keys.ts';
import { describeWith } from '../require.ts';
import { TestDynamo, type Call } from './support/dynamo.ts';
import { itemBytes } from './support/item-size.ts';
import { numberRequest, userIds, Workspace } from './support/people.ts';

jest.setTimeout(60_000);

const KB = 1_024;
const LARGE = BigInt(makeId(1_790_000_000_000, 0));

describeWith('engines', 'what the directory asks of DynamoDB', () => {
  let dynamo: TestDynamo;
  let directory: DynamoDirectory;
  let workspace: Workspace;
  let calls: Call[];

  beforeAll(async () => {
    dynamo = await TestDynamo.start();
    directory = dynamo.directory({ tap: (call, next) => (calls.push(call), next()) });
  });
  afterAll(() => dynamo.close());
  beforeEach(() => {
    workspace = new Workspace();
    calls = [];
  });

  /** The operations that some work takes. */
  const callsOf = async (work: () => Promise<unknown>): Promise<string[]> => {
    calls = [];
    await work();
    return calls.map(({ operation }) => operation);
  };
  const connect = (userId: string) => {
    const connectedAtMs = Date.now();
    const expiresAtMs = connectedAtMs + LIMITS.socketMaxMs;
    const connection = { connectionId: randomUUID(), deviceId: 'phone', connectedAtMs, expiresAtMs };
    return directory.addConnection(workspace.user(userId), connection);
  };
  const send = async (conversation: ConversationKey): Promise<void> => {
    const key = workspace.dedupe(conversation);
    const { membership } = await directory.readForAppend(key, workspace.user('user0'), 'none');
    expect(membership?.me.userId).toBe('user0');
    const number = await directory.takeNumber(numberRequest(conversation, LARGE + BigInt(Date.now())));
    if (!number.taken) throw new Error('no number was taken');
    const row = { id: number.id, seq: number.seq, bodyHash: 'hash', sentAtMs: Date.now(), expiresAtMs: Date.now() + 1 };
    await directory.reserve(key, row);
  };

  it('for a send: one read, one number, one dedupe row', async () => {
    const conversation = await workspace.group(directory, 2);
    expect(await callsOf(() => send(conversation))).toEqual(['BatchGetItem', 'UpdateItem', 'PutItem']);
    const [read] = calls;
    const { RequestItems } = read!.input as { RequestItems: Record<string, { ConsistentRead: boolean }> };
    expect(Object.keys(RequestItems)).toHaveLength(3);
    expect(Object.values(RequestItems).map(({ ConsistentRead }) => ConsistentRead)).toEqual([true, true, true]);
  });

  it('for a send to more members than a roster in one item holds: one read more', async () => {
    const conversation = await workspace.group(directory, LIMITS.rosterInlineMax + 1);
    expect(await callsOf(() => send(conversation))).toEqual(['BatchGetItem', 'GetItem', 'UpdateItem', 'PutItem']);
  });

  it('for 32 sends: two calls more, once, to move the list of ids away', async () => {
    const conversation = await workspace.group(directory, 2);
    for (let i = 0; i < LIMITS.headIdsMax; i++)
      await directory.takeNumber(numberRequest(conversation, LARGE + BigInt(i)));
    const perNumber: number[] = [];
    for (let i = 0; i < LIMITS.headIdsMax; i++) {
      const id = LARGE + 1_000n + BigInt(i);
      perNumber.push((await callsOf(() => directory.takeNumber(numberRequest(conversation, id)))).length);
    }
    expect(perNumber).toEqual([3, ...Array.from({ length: LIMITS.headIdsMax - 1 }, () => 1)]);
  });

  it('for a number when the clock is behind: two', async () => {
    const conversation = await workspace.group(directory, 2);
    await directory.takeNumber(numberRequest(conversation, LARGE));
    expect(await callsOf(() => directory.takeNumber(numberRequest(conversation, 1n)))).toEqual([
      'UpdateItem',
      'UpdateItem',
    ]);
  });

  it('for the connections of members: one read for every 100, however many of them are online', async () => {
    await connect('user1');
    const read = (count: number) => directory.connectionsOf(userIds(count).map((userId) => workspace.user(userId)));
    expect(await callsOf(() => read(1))).toEqual(['BatchGetItem']);
    expect(await callsOf(() => read(100))).toEqual(['BatchGetItem']);
    expect(await callsOf(() => read(500))).toHaveLength(5);
    expect(await callsOf(() => read(0))).toEqual([]);
  });

  it('for a socket that opens: one read of the user, one write; a new name one write more', async () => {
    const user = workspace.user('ana');
    expect(await callsOf(() => directory.admitUser(user, 'Ana'))).toEqual(['GetItem', 'UpdateItem']);
    expect(await callsOf(() => directory.admitUser(user, 'Ana'))).toEqual(['GetItem']);
    expect(await callsOf(() => directory.admitUser(user, undefined))).toEqual(['GetItem']);
    expect(await callsOf(() => directory.admitUser(user, 'Anna'))).toEqual(['GetItem', 'UpdateItem']);
    expect(await callsOf(() => connect('ana'))).toEqual(['UpdateItem']);
    expect(await callsOf(() => directory.removeConnection(user, 'none'))).toEqual(['UpdateItem']);
  });

  it('for a receipt: one write', async () => {
    const conversation = await workspace.group(directory, 2);
    const raise = (deliveredSeq: number, readSeq: number) =>
      directory.raiseReceipt(conversation, { userId: 'user0', deliveredSeq, readSeq });
    expect(await callsOf(() => raise(5, 0))).toEqual(['UpdateItem']);
    expect(await callsOf(() => raise(5, 5))).toEqual(['UpdateItem']);
    expect(await callsOf(() => raise(9, 0))).toEqual(['UpdateItem']);
    expect(await callsOf(() => raise(9, 0))).toEqual(['UpdateItem']);
    expect(await callsOf(() => raise(9, 9))).toEqual(['UpdateItem']);
    expect(await callsOf(() => raise(12, 10))).toEqual(['UpdateItem']);
    expect(await callsOf(() => raise(11, 11))).toEqual(['UpdateItem', 'UpdateItem']);
  });

  it('for what a session starts with: one list, and one read for every 33 conversations', async () => {
    const conversations: ConversationKey[] = [];
    for (let i = 0; i < 50; i++) conversations.push(await workspace.group(directory, 2));
    expect(await callsOf(() => directory.conversationsOf(workspace.user('user0'), undefined, 50))).toEqual(['Query']);
    expect(await callsOf(() => directory.memberships(conversations, 'user0'))).toEqual([
      'BatchGetItem',
      'BatchGetItem',
    ]);
    expect(await callsOf(() => directory.memberships(conversations.slice(0, 33), 'user0'))).toEqual(['BatchGetItem']);
    expect(await callsOf(() => directory.membership(conversations[0]!, 'user0'))).toEqual(['BatchGetItem']);
  });

  it('for pages of members and people: one list each', async () => {
    const conversation = await workspace.group(directory, 150);
    await directory.admitUser(workspace.user('ana'), 'Ana');
    expect(await callsOf(() => directory.members(conversation, undefined, 100))).toEqual(['Query']);
    expect(await callsOf(() => directory.members(conversation, 'user7', 100))).toEqual(['Query']);
    expect(await callsOf(() => directory.workspaceMembers(workspace.workspaceId, undefined, 100))).toEqual(['Query']);
  });

  it('for a new conversation: one transaction up to 49 members, one for every 49 more', async () => {
    expect(await callsOf(() => workspace.group(directory, 2))).toEqual(['TransactWriteItems']);
    expect(await callsOf(() => workspace.group(directory, 49))).toEqual(['TransactWriteItems']);
    expect(await callsOf(() => workspace.group(directory, 50))).toHaveLength(2);
    expect(await callsOf(() => workspace.group(directory, 500))).toHaveLength(11);
  });

  it('for a change of members: one read, one transaction; one list more where a large group loses its owner', async () => {
    const change = async (conversation: ConversationKey, type: 'add' | 'remove', userId: string) => {
      const rosterVersion = (await directory.head(conversation))?.rosterVersion ?? 0;
      const row = { bodyHash: 'hash', sentAtMs: Date.now(), expiresAtMs: Date.now() + 1 };
      const request = {
        ...numberRequest(conversation, LARGE, { rosterVersion }),
        ...{ key: workspace.dedupe(conversation), row },
        change: type === 'add' ? { type, userId, role: 'member' as const } : { type, userId },
      };
      return callsOf(async () => expect(await directory.changeRoster(request)).toBeDefined());
    };
    const small = await workspace.group(directory, 2);
    expect(await change(small, 'add', 'x')).toEqual(['BatchGetItem', 'TransactWriteItems']);
    expect(await change(small, 'remove', 'user0')).toEqual(['BatchGetItem', 'TransactWriteItems']);
    const large = await workspace.group(directory, 50);
    expect(await change(large, 'add', 'x')).toEqual(['BatchGetItem', 'TransactWriteItems']);
    expect(await change(large, 'remove', 'user0')).toEqual(['BatchGetItem', 'Query', 'TransactWriteItems']);
  });

  describe('in bytes', () => {
    const stored = async (table: 'directory' | 'connections' | 'sends', key: Record<string, string>) => {
      const item = await dynamo.item(table, key);
      if (!item) throw new Error('no item');
      return itemBytes(item);
    };

    it('keeps a head with a full list and a long title within one write unit', async () => {
      const conversation = conversationKey({ workspaceId: `w${'x'.repeat(20)}${Date.now()}` }, `g_${'c'.repeat(22)}`);
      await directory.createConversation({
        conversation,
        type: 'group',
        title: 't'.repeat(LIMITS.titleMaxChars),
        createdAtMs: Date.now(),
        requestHash: 'h'.repeat(22),
        members: [{ userId: 'ana', role: 'owner' }],
      });
      for (let i = 0; i < LIMITS.headIdsMax; i++) {
        await directory.takeNumber(numberRequest(conversation, LARGE * 200n + BigInt(i)));
      }
      const bytes = await stored('directory', { pk: `C#${conversation}`, sk: 'HEAD' });
      expect(bytes).toBeGreaterThan(700);
      expect(bytes).toBeLessThan(KB);
    });

    it('keeps a roster of 32 within one read unit of 4 KB, and all other items within one of 1 KB to write', async () => {
      const conversation = workspace.conversation(`g_${'c'.repeat(22)}`);
      const members = userIds(32).map((userId) => ({ userId: `${userId}|${'u'.repeat(30)}`, role: 'member' as const }));
      const userId = members[0]!.userId;
      await directory.createConversation({ conversation, type: 'group', createdAtMs: 1, requestHash: 'h', members });
      expect(await stored('directory', { pk: `C#${conversation}`, sk: 'ROSTER' })).toBeLessThan(4 * KB);
      const key = { conversation, userId, clientKey: randomUUID() };
      const row = {
        id: String(LARGE * 200n),
        seq: 1e9,
        bodyHash: 'h'.repeat(43),
        sentAtMs: Date.now(),
        expiresAtMs: Date.now(),
      };
      await directory.reserve(key, row);
      const pk = [conversation, userId, key.clientKey].map((part) => `${part.length}:${part}`).join('');
      expect(await stored('sends', { pk })).toBeLessThan(KB);
      for (let i = 0; i < LIMITS.connectionsPerUserMax; i++) {
        await directory.addConnection(userKey(workspace, userId), {
          connectionId: `L0SM9cOFvHcCIh${i}=`,
          deviceId: randomUUID(),
          connectedAtMs: Date.now(),
          expiresAtMs: Date.now() + LIMITS.socketMaxMs,
        });
      }
      expect(await stored('connections', { userKey: userKey(workspace, userId) })).toBeLessThan(1.5 * KB);
    });
  });
});
