import { LIMITS, type EntryId } from '@parley/protocol';
import type { DedupeKey, DedupeRow } from '../port.ts';
import { ConditionFailed } from './api.ts';
import { dedupeOf, toDedupe } from './items.ts';
import { sendKey } from './keys.ts';
import type { Store } from './store.ts';
import { exact, names, type Item } from './values.ts';

/** One PutItem. */
export function reserve(store: Store, key: DedupeKey, row: DedupeRow): Promise<DedupeRow> {
  return putIf(store, key, row, {
    ConditionExpression: 'attribute_not_exists(#pk)',
    ExpressionAttributeNames: names('pk'),
  });
}

/** One PutItem. */
export function repoint(store: Store, key: DedupeKey, from: EntryId, row: DedupeRow): Promise<DedupeRow> {
  return putIf(store, key, row, {
    ConditionExpression: 'attribute_not_exists(#pk) OR #id = :from',
    ExpressionAttributeNames: names('pk', 'id'),
    ExpressionAttributeValues: { ':from': exact(from) },
  });
}

interface Condition {
  readonly ConditionExpression: string;
  readonly ExpressionAttributeNames: Record<string, string>;
  readonly ExpressionAttributeValues?: Item;
}

export function dedupeItem({ now }: Store, key: DedupeKey, row: DedupeRow): Item {
  const keptUntilMs = Math.max(now(), row.sentAtMs) + LIMITS.dedupeTtlMs;
  return { ...sendKey(key), ...toDedupe(key.conversation, row, keptUntilMs) };
}

async function putIf(store: Store, key: DedupeKey, row: DedupeRow, condition: Condition): Promise<DedupeRow> {
  try {
    await store.dynamo.call('PutItem', {
      TableName: store.tables.sends,
      Item: dedupeItem(store, key, row),
      ...condition,
      ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
    });
    return row;
  } catch (error) {
    if (!(error instanceof ConditionFailed) || !error.item) throw error;
    return dedupeOf(error.item);
  }
}
