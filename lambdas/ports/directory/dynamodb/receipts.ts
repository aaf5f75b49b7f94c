import type { Receipt } from '@parley/protocol';
import type { ConversationKey } from '../../../runtime/keys.ts';
import { Unavailable } from '../../unavailable.ts';
import { ConditionFailed, type Input } from './api.ts';
import { memberOf } from './items.ts';
import { memberKey } from './keys.ts';
import type { Store } from './store.ts';
import { names, whole, wholeIn, type Item } from './values.ts';

/** The second attempt knows what stands there; another is needed only when that rises in between. */
const ATTEMPTS_MAX = 6;

/** One conditional UpdateItem of the member's own item; a second one when one of the two numbers lies below what stands there. */
export async function raiseReceipt(
  store: Store,
  conversation: ConversationKey,
  { userId, ...wanted }: Receipt,
): Promise<{ receipt: Receipt; raised: boolean }> {
  let { readSeq } = wanted;
  let deliveredSeq = Math.max(wanted.deliveredSeq, readSeq);
  for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt++) {
    try {
      const update = raise(store, memberKey(conversation, userId), deliveredSeq, readSeq);
      const { Attributes: now = {} } = await store.dynamo.call('UpdateItem', update);
      const receipt = { userId, deliveredSeq: wholeIn(now, 'deliveredSeq'), readSeq: wholeIn(now, 'readSeq') };
      return { receipt, raised: true };
    } catch (error) {
      if (!(error instanceof ConditionFailed)) throw error;
      if (!error.item) return { receipt: { userId, ...wanted }, raised: false };
      const standing = memberOf(error.item);
      readSeq = Math.max(wanted.readSeq, standing.readSeq);
      deliveredSeq = Math.max(wanted.deliveredSeq, readSeq, standing.deliveredSeq);
      if (readSeq === standing.readSeq && deliveredSeq === standing.deliveredSeq) {
        return { receipt: { userId, deliveredSeq, readSeq }, raised: false };
      }
    }
  }
  throw new Unavailable('the receipt kept changing');
}

/** A receipt that says nothing of reading leaves `readSeq` as it is. Neither number ever falls, and no item comes into being for a stranger. */
function raise({ tables }: Store, Key: Item, deliveredSeq: number, readSeq: number): Input<'UpdateItem'> {
  const common = { TableName: tables.directory, Key, ReturnValues: 'ALL_NEW' } as const;
  if (readSeq === 0) {
    return {
      ...common,
      UpdateExpression: 'SET #deliveredSeq = :delivered',
      ConditionExpression: 'attribute_exists(#pk) AND #deliveredSeq < :delivered',
      ExpressionAttributeNames: names('pk', 'deliveredSeq'),
      ExpressionAttributeValues: { ':delivered': whole(deliveredSeq) },
      ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
    };
  }
  return {
    ...common,
    UpdateExpression: 'SET #deliveredSeq = :delivered, #readSeq = :read',
    ConditionExpression:
      'attribute_exists(#pk) AND #deliveredSeq <= :delivered AND #readSeq <= :read AND (#deliveredSeq < :delivered OR #readSeq < :read)',
    ExpressionAttributeNames: names('pk', 'deliveredSeq', 'readSeq'),
    ExpressionAttributeValues: { ':delivered': whole(deliveredSeq), ':read': whole(readSeq) },
    ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
  };
}
