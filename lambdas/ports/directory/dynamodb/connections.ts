import { LIMITS } from '@parley/protocol';
import type { UserKey } from '../../../runtime/keys.ts';
import type { Connection } from '../port.ts';
import { ConditionFailed } from './api.ts';
import { batchGet } from './batch-get.ts';
import { connectionAttribute, connectionsIn, toConnection } from './items.ts';
import { connectionsKey } from './keys.ts';
import type { Store } from './store.ts';
import { names, whole } from './values.ts';

/** Beyond what a socket lives: clocks of functions differ, and DynamoDB may delete from that second on. */
const KEPT_BEYOND_MS = 60 * 60 * 1_000;

/**
 * One UpdateItem; another one when the item still holds connections that ended without a `$disconnect`. The item as a whole ends when no
 * socket that is older than this one can live any more: later than any other of its connections.
 */
export async function addConnection(
  store: Store,
  user: UserKey,
  connection: Connection,
): Promise<readonly Connection[]> {
  const endsAtMs = Math.max(store.now(), connection.connectedAtMs) + LIMITS.socketMaxMs + KEPT_BEYOND_MS;
  const { Attributes = {} } = await store.dynamo.call('UpdateItem', {
    TableName: store.tables.connections,
    Key: connectionsKey(user),
    UpdateExpression: 'SET #connection = :connection, #expiresAt = :expiresAt',
    ExpressionAttributeNames: { '#connection': connectionAttribute(connection.connectionId), ...names('expiresAt') },
    ExpressionAttributeValues: {
      ':connection': toConnection(connection),
      ':expiresAt': whole(Math.ceil(endsAtMs / 1_000)),
    },
    ReturnValues: 'ALL_NEW',
  });
  const all = connectionsIn(Attributes);
  const live = liveAt(all, store.now());
  const ended = all.filter((one) => !live.includes(one)).map(({ connectionId }) => connectionId);
  if (ended.length > 0) await remove(store, user, ended);
  return live;
}

/** One UpdateItem, which does nothing when that connection does not stand there. */
export async function removeConnection(store: Store, user: UserKey, connectionId: string): Promise<void> {
  await remove(store, user, [connectionId]);
}

/** One BatchGetItem for every 100 users. */
export async function connectionsOf(
  { dynamo, tables, now }: Store,
  users: readonly UserKey[],
): Promise<Map<UserKey, readonly Connection[]>> {
  const places = users.map((user) => ({ table: tables.connections, key: connectionsKey(user) }));
  const items = await batchGet(dynamo, places);
  const found = new Map<UserKey, readonly Connection[]>();
  for (const [i, user] of users.entries()) {
    const item = items[i];
    const live = item ? liveAt(connectionsIn(item), now()) : [];
    if (live.length > 0) found.set(user, live);
  }
  return found;
}

function liveAt(connections: readonly Connection[], nowMs: number): Connection[] {
  return connections.filter(({ expiresAtMs }) => expiresAtMs > nowMs);
}

async function remove({ dynamo, tables }: Store, user: UserKey, connectionIds: readonly string[]): Promise<void> {
  const attributes = Object.fromEntries(connectionIds.map((id, i) => [`#c${i}`, connectionAttribute(id)]));
  const placeholders = Object.keys(attributes);
  try {
    await dynamo.call('UpdateItem', {
      TableName: tables.connections,
      Key: connectionsKey(user),
      UpdateExpression: `REMOVE ${placeholders.join(', ')}`,
      // Else the update would make an item for a user who has none.
      ConditionExpression: placeholders.map((name) => `attribute_exists(${name})`).join(' OR '),
      ExpressionAttributeNames: attributes,
    });
  } catch (error) {
    if (!(error instanceof ConditionFailed)) throw error;
  }
}
