import type { TransactWriteItem } from '@aws-sdk/client-dynamodb';
import { compareIds, LIMITS, type EntryId } from '@parley/protocol';
import type { ConversationKey } from '../../../runtime/keys.ts';
import { Unavailable } from '../../unavailable.ts';
import type { NumberRequest, NumberTaken } from '../port.ts';
import { ConditionFailed, type Input } from './api.ts';
import { batchGet } from './batch-get.ts';
import { blockKey, headKey } from './keys.ts';
import type { Store } from './store.ts';
import { exact, exactIn, exactListIn, list, names, text, textIn, whole, wholeIn, type Item } from './values.ts';

/** Each attempt but the first knows why the one before it failed; only a full list, and somebody quicker, makes more than two. */
const ATTEMPTS_MAX = 8;

type Update = Input<'UpdateItem'>;

/**
 * Takes the next number, in one update when the caller's clock stands above the last id. The list `ids` in the head holds the ids of the
 * numbers after `base`; an id that was chosen relative to the one before it stands there as a negative difference. A number is added only
 * while `lastBy` is another's, so that a request which DynamoDB carries out twice takes one number.
 */
export async function takeNumber(store: Store, request: NumberRequest): Promise<NumberTaken> {
  let update = appendId(store, request);
  for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt++) {
    try {
      const { Attributes: taken = {} } = await store.dynamo.call('UpdateItem', update);
      return { taken: true, seq: wholeIn(taken, 'seq'), id: exactIn(taken, 'lastId') };
    } catch (error) {
      if (!(error instanceof ConditionFailed)) throw error;
      const head = error.item;
      if (!head) return { taken: false };
      if (textIn(head, 'lastBy') === request.nonce) {
        return { taken: true, seq: wholeIn(head, 'seq'), id: exactIn(head, 'lastId') };
      }
      if (wholeIn(head, 'rosterVersion') !== request.rosterVersion) return { taken: false };
      update = await nextUpdate(store, request, head);
    }
  }
  throw new Unavailable('the head kept changing');
}

/** A number that can be taken in a transaction, as long as nobody else takes one. */
export interface NextNumber {
  readonly id: EntryId;
  readonly seq: number;
  /** Takes it, and changes the head otherwise too. */
  takeWith(more: Readonly<Record<'rosterVersion' | 'memberCount', number>>): TransactWriteItem;
  /** Keeps the ids that the list has no room for any more. */
  readonly keep: readonly TransactWriteItem[];
}

/** The number after the last one of `head`. Its id is never relative: the condition is that nothing has changed. */
export function numberAfter({ tables }: Store, request: NumberRequest, head: Item): NextNumber {
  const seq = wholeIn(head, 'seq') + 1;
  const id = idAfter(request, exactIn(head, 'lastId'));
  const base = wholeIn(head, 'base');
  const before = absoluteIds(head);
  const isFull = before.length >= LIMITS.headIdsMax;
  const put = { Put: { TableName: tables.directory, Item: blockItem(request.conversation, base, before) } };
  const ids = isFull ? [id] : [...before, id];
  const takeWith = ({ rosterVersion, memberCount }: Readonly<Record<'rosterVersion' | 'memberCount', number>>) => ({
    Update: {
      TableName: tables.directory,
      Key: headKey(request.conversation),
      UpdateExpression:
        'SET #seq = :seq, #lastId = :id, #lastBy = :by, #ids = :ids, #base = :base, #rosterVersion = :version, #memberCount = :count',
      ConditionExpression: '#seq = :before AND #rosterVersion = :versionBefore',
      ExpressionAttributeNames: names('seq', 'lastId', 'lastBy', 'ids', 'base', 'rosterVersion', 'memberCount'),
      ExpressionAttributeValues: {
        ':seq': whole(seq),
        ':id': exact(id),
        ':by': text(request.nonce),
        ':ids': list(ids.map(exact)),
        ':base': whole(isFull ? base + LIMITS.headIdsMax : base),
        ':version': whole(rosterVersion),
        ':count': whole(memberCount),
        ':before': whole(seq - 1),
        ':versionBefore': whole(request.rosterVersion),
      },
    },
  });
  return { id, seq, takeWith, keep: isFull ? [put] : [] };
}

/** The id of a number, from the head or from a block; while a list is both, they say the same. */
export async function idOf(store: Store, conversation: ConversationKey, seq: number): Promise<EntryId | undefined> {
  if (seq < 1) return undefined;
  const base = Math.floor((seq - 1) / LIMITS.headIdsMax) * LIMITS.headIdsMax;
  const head = { table: store.tables.directory, key: headKey(conversation) };
  const block = { table: store.tables.directory, key: blockKey(conversation, base) };
  const [headItem, blockItem] = await batchGet(store.dynamo, [head, block]);
  if (blockItem) return inBlock(blockItem, seq);
  if (!headItem) return undefined;
  const headBase = wholeIn(headItem, 'base');
  if (headBase <= base) return absoluteIds(headItem)[seq - 1 - headBase];
  // The block was put, and the list begun anew, between the reads of the two.
  const [put] = await batchGet(store.dynamo, [block]);
  return put && inBlock(put, seq);
}

function inBlock(block: Item, seq: number): EntryId | undefined {
  return exactListIn(block, 'ids')[seq - wholeIn(block, 'first')];
}

/** What to try after an update that `head` refused. */
async function nextUpdate(store: Store, request: NumberRequest, head: Item): Promise<Update> {
  const ids = absoluteIds(head);
  if (ids.length < LIMITS.headIdsMax) {
    return compareIds(request.id, exactIn(head, 'lastId')) > 0 ? appendId(store, request) : appendStep(store, request);
  }
  const base = wholeIn(head, 'base');
  // First the block, then the list may begin anew: the other way round, numbers would be lost if this sender died in between. A full list does
  // not change any more, so whoever puts the block puts the same one.
  await store.dynamo.call('PutItem', {
    TableName: store.tables.directory,
    Item: blockItem(request.conversation, base, ids),
  });
  return beginList(store, request, { base, lastId: exactIn(head, 'lastId') });
}

function blockItem(conversation: ConversationKey, base: number, ids: readonly EntryId[]): Item {
  return { ...blockKey(conversation, base), first: whole(base + 1), ids: list(ids.map(exact)) };
}

/** The id that the request would like, or one above the last. */
function idAfter({ id, step }: NumberRequest, lastId: EntryId): EntryId {
  return compareIds(id, lastId) > 0 ? id : String(BigInt(lastId) + BigInt(Math.max(1, step)));
}

/** For a clock that stands above the last id. */
function appendId(store: Store, request: NumberRequest): Update {
  return updateOf(store, request, {
    set: '#lastId = :id, #ids = list_append(#ids, :ids)',
    only: 'size(#ids) < :max AND #lastId < :id',
    values: { ':id': exact(request.id), ':ids': list([exact(request.id)]), ':max': whole(LIMITS.headIdsMax) },
  });
}

/** For a clock that is behind: relative to whatever id is the last by then, so that no other sender can make it fail. */
function appendStep(store: Store, request: NumberRequest): Update {
  const step = Math.max(1, request.step);
  return updateOf(store, request, {
    set: '#lastId = #lastId + :step, #ids = list_append(#ids, :ids)',
    only: 'size(#ids) < :max',
    values: { ':step': whole(step), ':ids': list([whole(-step)]), ':max': whole(LIMITS.headIdsMax) },
  });
}

/** Begins the list anew. Its first id is never relative: the last id of a full list is known, since it cannot change. */
function beginList(store: Store, request: NumberRequest, full: { base: number; lastId: EntryId }): Update {
  const id = idAfter(request, full.lastId);
  return updateOf(store, request, {
    set: '#lastId = :id, #ids = :ids, #base = :next',
    only: '#base = :base AND size(#ids) = :max',
    more: ['base'],
    values: {
      ':id': exact(id),
      ':ids': list([exact(id)]),
      ':base': whole(full.base),
      ':next': whole(full.base + LIMITS.headIdsMax),
      ':max': whole(LIMITS.headIdsMax),
    },
  });
}

interface Change {
  readonly set: string;
  readonly only: string;
  readonly values: Item;
  /** Names that the expressions use beside those of every update: DynamoDB refuses one that is not used. */
  readonly more?: readonly string[];
}

function updateOf({ tables }: Store, request: NumberRequest, { set, only, values, more = [] }: Change): Update {
  return {
    TableName: tables.directory,
    Key: headKey(request.conversation),
    UpdateExpression: `SET #seq = #seq + :one, #lastBy = :by, ${set}`,
    ConditionExpression: `#rosterVersion = :version AND #lastBy <> :by AND ${only}`,
    ExpressionAttributeNames: names('seq', 'lastBy', 'lastId', 'ids', 'rosterVersion', ...more),
    ExpressionAttributeValues: {
      ':one': whole(1),
      ':by': { S: request.nonce },
      ':version': whole(request.rosterVersion),
      ...values,
    },
    ReturnValues: 'UPDATED_NEW',
    ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
  };
}

function absoluteIds(head: Item): EntryId[] {
  const ids: EntryId[] = [];
  for (const id of exactListIn(head, 'ids')) {
    const before = ids.at(-1);
    ids.push(before !== undefined && id.startsWith('-') ? String(BigInt(before) - BigInt(id)) : id);
  }
  return ids;
}
