import { compareIds, LIMITS, makeId } from '@parley/protocol';
import type { DynamoDirectory } from '../../lambdas/ports/directory/dynamodb.ts';
import type { NumberTaken } from '../../lambdas/ports/directory/port.ts';
import { Unavailable } from '../../lambdas/ports/unavailable.ts';
import type { ConversationKey } from '../../lambdas/runtime/keys.ts';
import { describeWith } from '../require.ts';
import { TestDynamo, type Call, type Tap } from './support/dynamo.ts';
import { numberRequest, Workspace } from './support/people.ts';

jest.setTimeout(60_000);

const FULL = LIMITS.headIdsMax;
/** Above 2^53: one more than this is no JavaScript number. */
const LARGE = BigInt(makeId(1_790_000_000_000, 0));

describeWith('engines', 'numbers of a conversation in DynamoDB', () => {
  let dynamo: TestDynamo;
  let directory: DynamoDirectory;
  let conversation: ConversationKey;

  beforeAll(async () => {
    dynamo = await TestDynamo.start();
    directory = dynamo.directory();
  });
  afterAll(() => dynamo.close());
  beforeEach(async () => {
    conversation = await new Workspace().group(directory, 2);
  });

  const item = (sk: string) => dynamo.item('directory', { pk: `C#${conversation}`, sk });
  const take = (id: bigint, on = directory) => on.takeNumber(numberRequest(conversation, id));
  const taken = (answer: NumberTaken): { seq: number; id: string } => {
    if (!answer.taken) throw new Error('no number was taken');
    return answer;
  };
  const takeMany = async (count: number, idOf = (i: number) => LARGE + BigInt(i)): Promise<string[]> => {
    const ids: string[] = [];
    for (let i = 0; i < count; i++) ids.push(taken(await take(idOf(i))).id);
    return ids;
  };
  const expectIds = async (ids: readonly string[]): Promise<void> => {
    const found = await Promise.all(ids.map((_, i) => directory.idOf(conversation, i + 1)));
    expect(found).toEqual(ids);
  };

  it('go on beyond a full list, and beyond the next: each block is kept beside the head', async () => {
    const ids = await takeMany(2 * FULL + 3);
    expect((await item('HEAD'))?.['base']).toEqual({ N: String(2 * FULL) });
    expect((await item('HEAD'))?.['ids']?.L).toHaveLength(3);
    for (const base of [0, FULL]) {
      const block = await item(`IDS#${base}`);
      expect(block?.['first']).toEqual({ N: String(base + 1) });
      expect(block?.['ids']?.L).toEqual(ids.slice(base, base + FULL).map((N) => ({ N })));
    }
    await expectIds(ids);
  });

  it('keep every digit, in the head, in differences and in blocks', async () => {
    const ids = await takeMany(FULL + 2, (i) => (i % 3 === 2 ? 1n : LARGE + BigInt(i * 7)));
    const expected: bigint[] = [];
    for (let i = 0; i < FULL + 2; i++) expected.push(i % 3 === 2 ? expected[i - 1]! + 1n : LARGE + BigInt(i * 7));
    expect(ids).toEqual(expected.map(String));
    await expectIds(ids);
  });

  it('go on when a clock is behind just where the list begins anew', async () => {
    const ids = await takeMany(FULL);
    const behind = taken(await take(5n));
    expect(behind).toMatchObject({ seq: FULL + 1, id: String(BigInt(ids.at(-1)!) + 1n) });
    const after = taken(await take(6n));
    expect(after.id).toBe(String(BigInt(behind.id) + 1n));
    await expectIds([...ids, behind.id, after.id]);
  });

  it('are one unbroken row under 100 senders with clocks that differ, over the ends of lists', async () => {
    const answers = await Promise.all(
      Array.from({ length: 100 }, (_, i) => take(LARGE + BigInt(((i * 37) % 100) * 1_000))),
    );
    const numbers = answers.map(taken).sort((a, b) => a.seq - b.seq);
    expect(numbers.map(({ seq }) => seq)).toEqual(numbers.map((_, i) => i + 1));
    for (const [i, { id }] of numbers.entries()) {
      if (i > 0) expect(compareIds(id, numbers[i - 1]!.id)).toBeGreaterThan(0);
    }
    await expectIds(numbers.map(({ id }) => id));
  });

  it('can be asked for when a sender died between the block and the new list', async () => {
    const ids = await takeMany(FULL);
    const dying = dynamo.directory({ tap: dieAfter(({ operation }) => operation === 'PutItem') });
    await expect(take(LARGE + 1_000n, dying)).rejects.toThrow('died');
    expect(await item('IDS#0')).toBeDefined();
    expect((await item('HEAD'))?.['base']).toEqual({ N: '0' });
    await expectIds(ids);
    ids.push(taken(await take(LARGE + 2_000n)).id);
    await expectIds(ids);
  });

  it('never lose the block: it stands before the list begins anew', async () => {
    await takeMany(FULL);
    const calls: Call[] = [];
    await take(LARGE + 1_000n, dynamo.directory({ tap: (call, next) => (calls.push(call), next()) }));
    expect(calls.map(({ operation }) => operation)).toEqual(['UpdateItem', 'PutItem', 'UpdateItem']);
    expect(calls[1]?.input).toMatchObject({ Item: { sk: { S: 'IDS#0' } } });
    expect(JSON.stringify(calls[2]?.input)).toContain('#base = :base');
  });

  it('can be asked for while the list is moved away between two reads', async () => {
    const ids = await takeMany(FULL);
    const racing = dynamo.directory({
      tap: async (call, next) => {
        const answer = await next();
        if (!('Responses' in (answer as object))) return answer;
        // Head and block are read side by side: as if the block had been read before it was put, and the head after.
        if (JSON.stringify(call.input).includes('HEAD')) {
          await take(LARGE + 1_000n);
          return withHead(answer, (await item('HEAD'))!);
        }
        return answer;
      },
    });
    expect(await racing.idOf(conversation, 3)).toBe(ids[2]);
  });

  it('are taken once by a request that DynamoDB carries out twice', async () => {
    const twice = dynamo.directory({
      tap: async (call, next) => {
        const answer = await next();
        if (call.operation !== 'UpdateItem') return answer;
        return next();
      },
    });
    expect(await take(LARGE, twice)).toMatchObject({ seq: 1, id: String(LARGE) });
    expect(await take(5n, twice)).toMatchObject({ seq: 2, id: String(LARGE + 1n) });
    expect((await item('HEAD'))?.['seq']).toEqual({ N: '2' });
  });

  it('are found again by who took them when the answer was lost', async () => {
    const losing = dynamo.directory({
      tap: dieAfter(
        ({ operation }) => operation === 'UpdateItem',
        () => new Unavailable('lost'),
      ),
    });
    const request = numberRequest(conversation, LARGE);
    await expect(losing.takeNumber(request)).rejects.toThrow(Unavailable);
    const head = (await directory.membership(conversation, 'user0'))?.head;
    expect(head).toMatchObject({ seq: 1, lastId: String(LARGE), lastBy: request.nonce });
    expect(await directory.takeNumber(request)).toEqual({ taken: true, seq: 1, id: String(LARGE) });
  });

  it('are two when two senders choose the same id', async () => {
    const numbers = (await Promise.all([take(LARGE), take(LARGE)])).map(taken);
    expect(numbers.map(({ seq }) => seq).sort()).toEqual([1, 2]);
    expect(new Set(numbers.map(({ id }) => id)).size).toBe(2);
  });
});

/** Lets the first such call through and then fails, as when a function dies, or an answer is lost. */
function dieAfter(isIt: (call: Call) => boolean, failure = () => new Error('died')): Tap {
  return async (call, next) => {
    const answer = await next();
    if (isIt(call)) throw failure();
    return answer;
  };
}

function withHead<T>(answer: T, head: Record<string, unknown>): T {
  const { Responses } = answer as { Responses: Record<string, Record<string, unknown>[]> };
  const [table = ''] = Object.keys(Responses);
  return { Responses: { [table]: [head] } } as T;
}
