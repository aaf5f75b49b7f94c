import { randomUUID } from 'node:crypto';
import type { TransactWriteItem } from '@aws-sdk/client-dynamodb';
import { LIMITS } from '@parley/protocol';
import { splitKey, userKey } from '../../../runtime/keys.ts';
import { Unavailable } from '../../unavailable.ts';
import type { NewConversation } from '../port.ts';
import { ConditionFailed } from './api.ts';
import { toMember, toSeat } from './items.ts';
import { claimKey, headKey, memberKey, placeKey, rosterKey } from './keys.ts';
import type { Store } from './store.ts';
import { list, map, names, text, whole, type Item } from './values.ts';

/** Quota of one transaction is 100 actions; head and claim take two of them. */
const ROWS_MAX = 98;
const HEAD_AT = 0;
const CLAIM_AT = 1;
const FIRST_EPOCH = 1;

/**
 * One transaction up to 49 members. Larger conversations take one for every 98 rows; the head comes with the last, and as long as there is no
 * head, nobody sees the rest. A claim keeps the rows of two requests under one key apart, should the first have died half-way.
 */
export async function createConversation(store: Store, made: NewConversation): Promise<boolean> {
  const table = store.tables.directory;
  const rows = rowsOf(made);
  const chunks: Item[][] = [];
  for (let at = 0; at < rows.length; at += ROWS_MAX) chunks.push(rows.slice(at, at + ROWS_MAX));
  for (const [i, chunk] of chunks.entries()) {
    const isLast = i === chunks.length - 1;
    const claim = chunks.length === 1 ? checkClaim(table, made) : putClaim(table, made);
    const puts = chunk.map((Item) => ({ Put: { TableName: table, Item } }));
    const actions = [isLast ? putHead(table, made) : checkNoHead(table, made), claim, ...puts];
    try {
      await store.dynamo.call('TransactWriteItems', { TransactItems: actions, ClientRequestToken: randomUUID() });
    } catch (error) {
      if (!(error instanceof ConditionFailed)) throw error;
      if (error.failedAt.includes(HEAD_AT)) return false;
      if (error.failedAt.includes(CLAIM_AT)) throw new Unavailable('another conversation is being made under this key');
      throw error;
    }
  }
  return true;
}

function rowsOf({ conversation, members }: NewConversation): Item[] {
  const { id } = splitKey(conversation);
  const start = { joinedSeq: 0, deliveredSeq: 0, readSeq: 0 };
  const rows = members.flatMap(({ userId, role }) => [
    { ...memberKey(conversation, userId), ...toMember({ userId, role, ...start }) },
    placeKey(userKey(splitKey(conversation), userId), id),
  ]);
  if (members.length > LIMITS.rosterInlineMax) return rows;
  const seats = members.map(({ userId, role }) => map(toSeat({ userId, role, joinedSeq: 0 })));
  return [{ ...rosterKey(conversation), rosterVersion: whole(1), members: list(seats) }, ...rows];
}

function putHead(
  table: string,
  { conversation, type, title, createdAtMs, requestHash, members }: NewConversation,
): TransactWriteItem {
  const head = {
    ...headKey(conversation),
    type: text(type),
    ...(title !== undefined && { title: text(title) }),
    createdAtMs: whole(createdAtMs),
    requestHash: text(requestHash),
    epoch: whole(FIRST_EPOCH),
    seq: whole(0),
    lastId: whole(0),
    lastBy: text(''),
    base: whole(0),
    ids: list([]),
    rosterVersion: whole(1),
    memberCount: whole(members.length),
  };
  return { Put: { TableName: table, Item: head, ...ABSENT } };
}

const ABSENT = { ConditionExpression: 'attribute_not_exists(#pk)', ExpressionAttributeNames: names('pk') };

function checkNoHead(table: string, { conversation }: NewConversation): TransactWriteItem {
  return { ConditionCheck: { TableName: table, Key: headKey(conversation), ...ABSENT } };
}

function putClaim(table: string, { conversation, requestHash }: NewConversation): TransactWriteItem {
  const item = { ...claimKey(conversation), requestHash: text(requestHash) };
  return { Put: { TableName: table, Item: item, ...ownOrNone(requestHash) } };
}

function checkClaim(table: string, { conversation, requestHash }: NewConversation): TransactWriteItem {
  return { ConditionCheck: { TableName: table, Key: claimKey(conversation), ...ownOrNone(requestHash) } };
}

function ownOrNone(requestHash: string) {
  return {
    ConditionExpression: 'attribute_not_exists(#pk) OR #requestHash = :hash',
    ExpressionAttributeNames: names('pk', 'requestHash'),
    ExpressionAttributeValues: { ':hash': text(requestHash) },
  };
}
