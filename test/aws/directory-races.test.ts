import { randomUUID } from 'node:crypto';
import { TransactWriteItemsCommand, UpdateItemCommand } from '@aws-sdk/client-dynamodb';
import { LIMITS } from '@parley/protocol';
import type { DynamoDirectory } from '../../lambdas/ports/directory/dynamodb.ts';
import { memberKey } from '../../lambdas/ports/directory/dynamodb/keys.ts';
import type { Connection, NewConversation } from '../../lambdas/ports/directory/port.ts';
import { Unavailable } from '../../lambdas/ports/unavailable.ts';
import type { ConversationKey } from '../../lambdas/runtime/keys.ts';
import { describeWith } from '../require.ts';
import { TestDynamo, type Tap } from './support/dynamo.ts';
import { numberRequest, userIds, Workspace } from './support/people.ts';

jest.setTimeout(60_000);

describeWith('engines', 'the directory in DynamoDB while others write', () => {
  let dynamo: TestDynamo;
  let directory: DynamoDirectory;
  let workspace: Workspace;

  beforeAll(async () => {
    dynamo = await TestDynamo.start();
    directory = dynamo.directory();
  });
  afterAll(() => dynamo.close());
  beforeEach(() => {
    workspace = new Workspace();
  });

  /** Removes a member as a change of the roster does: everything in one transaction. */
  const removeMember = async (conversation: ConversationKey, userId: string): Promise<void> => {
    const pk = { S: `C#${conversation}` };
    const TableName = dynamo.tables.directory;
    const roster = await dynamo.item('directory', { pk: pk.S, sk: 'ROSTER' });
    const seats = roster?.['members']?.L?.filter(({ M }) => M?.['userId']?.S !== userId);
    const bump = {
      Update: {
        TableName,
        Key: { pk, sk: { S: 'HEAD' } },
        UpdateExpression: 'SET rosterVersion = rosterVersion + :one, memberCount = memberCount - :one',
        ExpressionAttributeValues: { ':one': { N: '1' } },
      },
    };
    const putRoster = seats && {
      Put: { TableName, Item: { pk, sk: { S: 'ROSTER' }, rosterVersion: { N: '2' }, members: { L: seats } } },
    };
    const remove = { Delete: { TableName, Key: memberKey(conversation, userId) } };
    await dynamo.sdk.send(
      new TransactWriteItemsCommand({ TransactItems: [bump, remove, ...(putRoster ? [putRoster] : [])] }),
    );
  };

  /** After the first read of the kind, lets `change` happen, and then shows the head as it is by then beside everything else as it was. */
  const headReadLater = (conversation: ConversationKey, change: () => Promise<void>): Tap => {
    let isDone = false;
    return async (call, next) => {
      const answer = await next();
      if (isDone || call.operation !== 'BatchGetItem') return answer;
      isDone = true;
      await change();
      const head = await dynamo.item('directory', { pk: `C#${conversation}`, sk: 'HEAD' });
      const { Responses } = answer as { Responses: Record<string, { sk?: { S: string } }[]> };
      const table = dynamo.tables.directory;
      Responses[table] = Responses[table]!.map((item) => (item.sk?.S === 'HEAD' ? (head as typeof item) : item));
      return answer;
    };
  };

  describe('never lets a removed member write', () => {
    it.each([2, LIMITS.rosterInlineMax + 10])(
      'in a conversation of %i, when the head is read after the removal and the roster before',
      async (size) => {
        const conversation = await workspace.group(directory, size);
        const tap = headReadLater(conversation, () => removeMember(conversation, 'user1'));
        const key = { conversation, userId: 'user1', clientKey: randomUUID() };
        const view = await dynamo.directory({ tap }).readForAppend(key, workspace.user('user1'), 'none');
        expect(view.membership).toBeUndefined();
      },
    );

    it.each([2, LIMITS.rosterInlineMax + 10])(
      'in a conversation of %i, when the removal comes after the read',
      async (size) => {
        const conversation = await workspace.group(directory, size);
        const key = { conversation, userId: 'user1', clientKey: randomUUID() };
        const { membership } = await directory.readForAppend(key, workspace.user('user1'), 'none');
        await removeMember(conversation, 'user1');
        const { rosterVersion } = membership!.head;
        expect(await directory.takeNumber(numberRequest(conversation, 1n, { rosterVersion }))).toEqual({
          taken: false,
        });
      },
    );

    it('and shows head and roster of one version', async () => {
      const conversation = await workspace.group(directory, 3);
      const tap = headReadLater(conversation, () => removeMember(conversation, 'user2'));
      const seen = await dynamo.directory({ tap }).membership(conversation, 'user0');
      expect(seen?.head).toMatchObject({ rosterVersion: 2, memberCount: 2 });
      expect(seen?.roster?.map(({ userId }) => userId)).toEqual(['user0', 'user1']);
    });
  });

  describe('a large conversation that is half made', () => {
    const large = (more: Partial<NewConversation> = {}): NewConversation => ({
      conversation: workspace.conversation(),
      type: 'group',
      createdAtMs: Date.now(),
      requestHash: 'hash',
      members: userIds(120).map((userId) => ({ userId, role: 'member' })),
      ...more,
    });
    /** Makes it up to, and without, the transaction that holds the head. */
    const half = async (made: NewConversation): Promise<void> => {
      let count = 0;
      const dying = dynamo.directory({
        tap: (_call, next) => (++count === 3 ? Promise.reject(new Error('died')) : next()),
      });
      await expect(dying.createConversation(made)).rejects.toThrow('died');
    };

    it('is seen by nobody, and is whole after a repeat', async () => {
      const made = large();
      await half(made);
      expect(await directory.membership(made.conversation, 'user0')).toBeUndefined();
      expect(await directory.takeNumber(numberRequest(made.conversation, 1n))).toEqual({ taken: false });
      expect(await directory.createConversation(made)).toBe(true);
      expect((await directory.membership(made.conversation, 'user119'))?.head.memberCount).toBe(120);
      expect(await directory.createConversation(made)).toBe(false);
    });

    it.each([120, 2])('never gets members of another request with the same key, which names %i', async (count) => {
      const made = large();
      await half(made);
      const members = userIds(count).map((userId) => ({ userId: `other-${userId}`, role: 'member' as const }));
      const other = { ...made, requestHash: 'other', members };
      await expect(directory.createConversation(other)).rejects.toThrow(Unavailable);
      expect(await directory.createConversation(made)).toBe(true);
      expect(await directory.membership(made.conversation, 'other-user0')).toBeUndefined();
    });

    it('is not written over by a creator that comes late', async () => {
      const made = large();
      let finish: Promise<unknown> | undefined;
      const slow = dynamo.directory({
        tap: async (_call, next) => {
          // Between its first transaction and its second, another attempt makes it whole, and a member reads.
          if (finish) return next();
          const answer = await next();
          finish = directory
            .createConversation(made)
            .then(() => directory.raiseReceipt(made.conversation, { userId: 'user100', deliveredSeq: 7, readSeq: 7 }));
          await finish;
          return answer;
        },
      });
      expect(await slow.createConversation(made)).toBe(false);
      expect((await directory.membership(made.conversation, 'user100'))?.me.readSeq).toBe(7);
    });
  });

  describe('connections', () => {
    const connection = (connectionId: string, lifeMs = 3_600_000): Connection => ({
      connectionId,
      deviceId: 'phone',
      connectedAtMs: Date.now(),
      expiresAtMs: Date.now() + lifeMs,
    });

    it('of one user and of many survive a storm of connects and disconnects', async () => {
      const users = userIds(20).map((userId) => workspace.user(userId));
      const storm = users.flatMap((user) =>
        Array.from({ length: 10 }, async (_, i) => {
          await directory.addConnection(user, connection(`c${i}`));
          if (i % 2 === 1) await directory.removeConnection(user, `c${i}`);
        }),
      );
      await Promise.all(storm);
      const found = await directory.connectionsOf(users);
      expect(found.size).toBe(users.length);
      for (const theirs of found.values()) {
        expect(theirs.map(({ connectionId }) => connectionId).sort()).toEqual(['c0', 'c2', 'c4', 'c6', 'c8']);
      }
    });

    it('that ended without a word are swept out when the user comes back', async () => {
      const user = workspace.user('ana');
      for (const id of ['a', 'b', 'c']) await directory.addConnection(user, connection(id, -1));
      await directory.addConnection(user, connection('d'));
      expect(Object.keys((await dynamo.item('connections', { userKey: user }))!).sort()).toEqual([
        'c:d',
        'expiresAt',
        'userKey',
      ]);
    });

    it('end with the item only when none of them can live any more', async () => {
      const user = workspace.user('ana');
      await directory.addConnection(user, connection('long', LIMITS.socketMaxMs));
      await directory.addConnection(user, connection('short', 1_000));
      const { expiresAt } = (await dynamo.item('connections', { userKey: user }))!;
      expect(Number(expiresAt?.N) * 1_000).toBeGreaterThan(Date.now() + LIMITS.socketMaxMs);
    });

    it('leave nothing behind for a user who has none', async () => {
      await directory.removeConnection(workspace.user('nobody'), 'none');
      expect(await dynamo.item('connections', { userKey: workspace.user('nobody') })).toBeUndefined();
    });
  });

  it('fails with a named field when an item is not as it should be', async () => {
    const conversation = await workspace.group(directory, 1);
    const Key = { pk: { S: `C#${conversation}` }, sk: { S: 'HEAD' } };
    await dynamo.sdk.send(
      new UpdateItemCommand({ TableName: dynamo.tables.directory, Key, UpdateExpression: 'REMOVE epoch' }),
    );
    await expect(directory.membership(conversation, 'user0')).rejects.toThrow('epoch');
  });

  it('keeps dedupe rows for the time of repeats, and what repair needs in them', async () => {
    const conversation = await workspace.group(directory, 1);
    const key = workspace.dedupe(conversation);
    const sentAtMs = Date.now();
    await directory.reserve(key, {
      id: '9007199254740993',
      seq: 3,
      bodyHash: 'h',
      sentAtMs,
      expiresAtMs: sentAtMs + 5,
    });
    const pk = [conversation, key.userId, key.clientKey].map((part) => `${part.length}:${part}`).join('');
    const { expiresAt, ...row } = (await dynamo.item('sends', { pk }))!;
    expect(row).toMatchObject({ conversation: { S: conversation }, id: { N: '9007199254740993' }, seq: { N: '3' } });
    expect(Number(expiresAt?.N) * 1_000).toBeGreaterThanOrEqual(sentAtMs + LIMITS.dedupeTtlMs);
  });
});
