import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import type { Store } from './store.ts';
import { names, text, textIn, type Item } from './values.ts';

export interface Range {
  readonly pk: AttributeValue;
  /** What the sort keys begin with. */
  readonly prefix: string;
  /** Goes on behind this key; nothing need stand at it. */
  readonly after?: Item;
  readonly limit: number;
  /** Items for which it is false are left out, as if they were not there. */
  readonly only?: (item: Item) => boolean;
}

/** A page whose items are all left out, or that exceeds 1 MB, takes another request; after so many the page ends short. */
const REQUESTS_MAX = 8;

/** At most `limit` items of the table `directory` in the order of their sort keys, read consistently; `next` is the sort key of the last one. */
export async function queryPage(
  { dynamo, tables }: Store,
  { pk, prefix, after, limit, only = () => true }: Range,
): Promise<{ items: Item[]; next?: string }> {
  const items: Item[] = [];
  let start = after;
  for (let request = 0; request < REQUESTS_MAX; request++) {
    const { Items = [], LastEvaluatedKey } = await dynamo.call('Query', {
      TableName: tables.directory,
      KeyConditionExpression: '#pk = :pk AND begins_with(#sk, :prefix)',
      ExpressionAttributeNames: names('pk', 'sk'),
      ExpressionAttributeValues: { ':pk': pk, ':prefix': text(prefix) },
      ConsistentRead: true,
      // One more than wanted tells whether there is a next page.
      Limit: limit + 1 - items.length,
      ...(start && { ExclusiveStartKey: start }),
    });
    items.push(...Items.filter(only));
    const last = items[limit - 1];
    if (items.length > limit && last) return { items: items.slice(0, limit), next: textIn(last, 'sk') };
    if (!LastEvaluatedKey) return { items };
    start = LastEvaluatedKey;
  }
  return { items, ...(start && { next: textIn(start, 'sk') }) };
}
