import { setTimeout as sleep } from 'node:timers/promises';
import type { KeysAndAttributes } from '@aws-sdk/client-dynamodb';
import { forEachParallel } from '../../../runtime/parallel.ts';
import { Unavailable } from '../../unavailable.ts';
import type { Dynamo } from './api.ts';
import type { Item } from './values.ts';

/** Where an item is. */
export interface Place {
  readonly table: string;
  readonly key: Item;
}

/** Quota of one BatchGetItem. */
const ITEMS_MAX = 100;
const BATCHES_IN_FLIGHT_MAX = 4;
/** DynamoDB leaves keys out when it is busy or when the answer exceeds 16 MB. */
const ROUNDS_MAX = 8;
const BACKOFF_MS = 20;

/**
 * Items by their keys, each read consistently, in the order asked for; undefined where there is none. One request for every 100 places;
 * a place that is named twice is read once.
 * @throws {Unavailable}
 */
export async function batchGet(dynamo: Dynamo, places: readonly Place[]): Promise<(Item | undefined)[]> {
  const distinct = new Map(places.map((place) => [nameOf(place), place]));
  const found = new Map<string, Item>();
  const batches: Place[][] = [];
  for (const place of distinct.values()) {
    const last = batches.at(-1);
    if (last && last.length < ITEMS_MAX) last.push(place);
    else batches.push([place]);
  }
  await forEachParallel(batches, BATCHES_IN_FLIGHT_MAX, async (batch) => {
    await getAll(dynamo, batch, found);
  });
  return places.map((place) => found.get(nameOf(place)));
}

async function getAll(dynamo: Dynamo, batch: readonly Place[], found: Map<string, Item>): Promise<void> {
  const keyNames = new Map(batch.map(({ table, key }) => [table, Object.keys(key)]));
  let requests = requestsOf(batch);
  for (let round = 0; Object.keys(requests).length > 0; round++) {
    if (round === ROUNDS_MAX) throw new Unavailable('dynamodb: BatchGetItem kept leaving keys out');
    if (round > 0) await sleep(BACKOFF_MS * 2 ** round * Math.random());
    const { Responses = {}, UnprocessedKeys = {} } = await dynamo.call('BatchGetItem', { RequestItems: requests });
    for (const [table, items] of Object.entries(Responses)) {
      for (const item of items) found.set(nameOf({ table, key: keyIn(item, keyNames.get(table) ?? []) }), item);
    }
    requests = UnprocessedKeys;
  }
}

function requestsOf(batch: readonly Place[]): Record<string, KeysAndAttributes> {
  const requests: Record<string, KeysAndAttributes & { Keys: Item[] }> = {};
  for (const { table, key } of batch) {
    (requests[table] ??= { Keys: [], ConsistentRead: true }).Keys.push(key);
  }
  return requests;
}

function keyIn(item: Item, keyNames: readonly string[]): Item {
  return Object.fromEntries(keyNames.flatMap((name) => (item[name] ? [[name, item[name]]] : [])));
}

/** No table name has a space, nor any key. */
function nameOf({ table, key }: Place): string {
  return [table, ...Object.values(key).map(({ S }) => S)].join(' ');
}
