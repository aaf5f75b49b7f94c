import { randomUUID } from 'node:crypto';
import type { TransactWriteItem } from '@aws-sdk/client-dynamodb';
import { LIMITS } from '@parley/protocol';
import { splitKey, userKey, type ConversationKey } from '../../../runtime/keys.ts';
import { Unavailable } from '../../unavailable.ts';
import type { DedupeRow, RosterChange, RosterRequest, Seat } from '../port.ts';
import { ConditionFailed } from './api.ts';
import { batchGet } from './batch-get.ts';
import { memberOf, seatsOf, toMember, toSeat } from './items.ts';
import { headKey, memberKey, placeKey, rosterKey } from './keys.ts';
import { members } from './memberships.ts';
import { numberAfter } from './numbers.ts';
import { dedupeItem } from './sends.ts';
import type { Store } from './store.ts';
import { list, map, names, text, whole, wholeIn, type Item } from './values.ts';

/** Each further one follows when somebody else took a number between the reading and the writing: in a quiet conversation none does. */
const ATTEMPTS_MAX = 8;
const HEAD_AT = 0;

/** One BatchGetItem and one transaction of at most eight items; a Query more where a large conversation changes its owner, or is none any more. */
export async function changeRoster(store: Store, request: RosterRequest): Promise<DedupeRow | undefined> {
  const { conversation, change, rosterVersion } = request;
  const keys = [headKey(conversation), rosterKey(conversation), memberKey(conversation, change.userId)];
  const places = keys.map((key) => ({ table: store.tables.directory, key }));
  for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt++) {
    const [head, roster, own] = await batchGet(store.dynamo, places);
    if (!head || wholeIn(head, 'rosterVersion') !== rosterVersion) return undefined;
    if ((own !== undefined) === (change.type === 'add')) return undefined;
    const isSmall = wholeIn(head, 'memberCount') <= LIMITS.rosterInlineMax;
    const isTorn = isSmall && (!roster || wholeIn(roster, 'rosterVersion') !== rosterVersion);
    if (isTorn) continue;
    const number = numberAfter(store, request, head);
    const row = { ...request.row, id: number.id, seq: number.seq };
    const actions = [
      number.takeWith({ rosterVersion: rosterVersion + 1, memberCount: countAfter(head, change) }),
      ...number.keep,
      { Put: { TableName: store.tables.sends, Item: dedupeItem(store, request.key, row), ...ABSENT } },
      ...(await seating(store, request, { head, roster: isSmall ? roster : undefined, own }, number.seq)),
    ];
    try {
      await store.dynamo.call('TransactWriteItems', { TransactItems: actions, ClientRequestToken: randomUUID() });
      return row;
    } catch (error) {
      if (!(error instanceof ConditionFailed)) throw error;
      if (error.failedAt.some((at) => at !== HEAD_AT)) return undefined;
    }
  }
  throw new Unavailable('the head kept changing');
}

interface Standing {
  readonly head: Item;
  /** Absent in a large conversation. */
  readonly roster: Item | undefined;
  /** The item of the member whom the change is about. */
  readonly own: Item | undefined;
}

/** What changes beside the head. */
async function seating(
  store: Store,
  { conversation, change, rosterVersion }: RosterRequest,
  standing: Standing,
  seq: number,
): Promise<TransactWriteItem[]> {
  const table = store.tables.directory;
  const { userId } = change;
  const Key = memberKey(conversation, userId);
  const place = placeKey(userKey(splitKey(conversation), userId), splitKey(conversation).id);
  const before = await seatsBefore(store, conversation, change, standing);
  const count = countAfter(standing.head, change);
  const roster = (after: readonly Seat[]): TransactWriteItem[] => {
    const key = rosterKey(conversation);
    if (count <= LIMITS.rosterInlineMax) {
      const seats = list(after.map((seat) => map(toSeat(seat))));
      return [{ Put: { TableName: table, Item: { ...key, rosterVersion: whole(rosterVersion + 1), members: seats } } }];
    }
    return standing.roster ? [{ Delete: { TableName: table, Key: key } }] : [];
  };
  if (change.type === 'add') {
    const seat = { userId, role: change.role, joinedSeq: seq - 1 };
    const receipt = { deliveredSeq: seq - 1, readSeq: seq - 1 };
    return [
      { Put: { TableName: table, Item: { ...Key, ...toMember({ ...seat, ...receipt }) }, ...ABSENT } },
      { Put: { TableName: table, Item: place } },
      ...roster([...before, seat]),
    ];
  }
  const others = before.filter((seat) => seat.userId !== userId);
  const wasOwner = standing.own !== undefined && memberOf(standing.own).role === 'owner';
  const heir = wasOwner ? others[0]?.userId : undefined;
  return [
    { Delete: { TableName: table, Key, ...PRESENT } },
    { Delete: { TableName: table, Key: place } },
    ...(heir === undefined ? [] : [makeOwner(table, conversation, heir)]),
    ...roster(others.map((seat) => (seat.userId === heir ? { ...seat, role: 'owner' } : seat))),
  ];
}

/** As many of the seats as the change must know: all where the roster is kept in one item by then, else two, of whom one stays. */
async function seatsBefore(
  store: Store,
  conversation: ConversationKey,
  change: RosterChange,
  { head, roster }: Standing,
): Promise<readonly Seat[]> {
  if (roster) return seatsOf(roster);
  if (change.type === 'add') return [];
  const isSmallAfter = countAfter(head, change) <= LIMITS.rosterInlineMax;
  const { items } = await members(store, conversation, undefined, isSmallAfter ? LIMITS.rosterInlineMax + 1 : 2);
  return items;
}

function countAfter(head: Item, { type }: RosterChange): number {
  return wholeIn(head, 'memberCount') + (type === 'add' ? 1 : -1);
}

function makeOwner(table: string, conversation: ConversationKey, userId: string): TransactWriteItem {
  return {
    Update: {
      TableName: table,
      Key: memberKey(conversation, userId),
      UpdateExpression: 'SET #role = :owner',
      ConditionExpression: 'attribute_exists(#pk)',
      ExpressionAttributeNames: names('pk', 'role'),
      ExpressionAttributeValues: { ':owner': text('owner') },
    },
  };
}

const ABSENT = { ConditionExpression: 'attribute_not_exists(#pk)', ExpressionAttributeNames: names('pk') };
const PRESENT = { ConditionExpression: 'attribute_exists(#pk)', ExpressionAttributeNames: names('pk') };
