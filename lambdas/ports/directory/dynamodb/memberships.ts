import { LIMITS } from '@parley/protocol';
import { conversationKey, splitKey, type ConversationKey, type UserKey } from '../../../runtime/keys.ts';
import { Unavailable } from '../../unavailable.ts';
import type { AppendView, DedupeKey, Head, Membership, Page, RosterMember } from '../port.ts';
import { batchGet } from './batch-get.ts';
import { connectionsIn, dedupeOf, headOf, memberOf, seatsOf } from './items.ts';
import {
  connectionsKey,
  CONVERSATION_PREFIX,
  conversationPk,
  headKey,
  MEMBER_PREFIX,
  memberIdOf,
  memberKey,
  placeKey,
  rosterKey,
  sendKey,
  userPk,
} from './keys.ts';
import { queryPage } from './query.ts';
import type { Store } from './store.ts';
import { textIn, wholeIn, type Item } from './values.ts';

/** Head and roster are read side by side and not at one instant: when the roster changed in between, both are read again. */
const READS_MAX = 4;
const ITEMS_OF_ONE = 3;

/** One BatchGetItem. */
export async function head({ dynamo, tables }: Store, conversation: ConversationKey): Promise<Head | undefined> {
  const [item] = await batchGet(dynamo, [{ table: tables.directory, key: headKey(conversation) }]);
  return item && headOf(item);
}

/** One BatchGetItem for every 33 conversations. */
export async function memberships(
  store: Store,
  conversations: readonly ConversationKey[],
  userId: string,
): Promise<Map<ConversationKey, Membership>> {
  const found = new Map<ConversationKey, Membership>();
  let missing = conversations;
  for (let read = 0; missing.length > 0; read++) {
    if (read === READS_MAX) throw new Unavailable('rosters kept changing');
    const keys = missing.flatMap((conversation) => keysOf(conversation, userId));
    const items = await batchGet(
      store.dynamo,
      keys.map((key) => ({ table: store.tables.directory, key })),
    );
    const torn: ConversationKey[] = [];
    for (const [i, conversation] of missing.entries()) {
      const membership = assemble(items.slice(i * ITEMS_OF_ONE, (i + 1) * ITEMS_OF_ONE), userId);
      if (membership === 'torn') torn.push(conversation);
      else if (membership) found.set(conversation, membership);
    }
    missing = torn;
  }
  return new Map(conversations.flatMap((conversation) => entryOf(found, conversation)));
}

function entryOf<K, V>(found: ReadonlyMap<K, V>, key: K): [K, V][] {
  const value = found.get(key);
  return value === undefined ? [] : [[key, value]];
}

/** One BatchGetItem over three tables; beyond `rosterInlineMax` members another GetItem. */
export async function readForAppend(
  store: Store,
  dedupe: DedupeKey,
  user: UserKey,
  connectionId: string,
): Promise<AppendView> {
  const { dynamo, tables, now } = store;
  const { conversation, userId } = dedupe;
  for (let read = 0; read < READS_MAX; read++) {
    const [connectionsItem, dedupeItem, ...items] = await batchGet(dynamo, [
      { table: tables.connections, key: connectionsKey(user) },
      { table: tables.sends, key: sendKey(dedupe) },
      ...keysOf(conversation, userId).map((key) => ({ table: tables.directory, key })),
    ]);
    const membership = assemble(items, userId);
    if (membership === 'torn') continue;
    const isMember =
      membership && (membership.roster !== undefined || (await isStillMember(store, conversation, userId)));
    const connections = connectionsItem ? connectionsIn(connectionsItem) : [];
    return {
      ...(isMember && { membership }),
      ...(dedupeItem && { dedupe: dedupeOf(dedupeItem) }),
      connected: connections.some((one) => one.connectionId === connectionId && one.expiresAtMs > now()),
    };
  }
  throw new Unavailable('the roster kept changing');
}

/**
 * Whether a member of a large conversation is one at an instant after its head was read. A removal before that instant shows here, and one
 * after it raises the roster's version above what was read, so that no number can be taken with it.
 */
async function isStillMember(
  { dynamo, tables }: Store,
  conversation: ConversationKey,
  userId: string,
): Promise<boolean> {
  const Key = memberKey(conversation, userId);
  const { Item: item } = await dynamo.call('GetItem', { TableName: tables.directory, Key, ConsistentRead: true });
  return item !== undefined;
}

/** One Query. In the order of the hashes of the user ids. */
export async function members(
  store: Store,
  conversation: ConversationKey,
  after: string | undefined,
  limit: number,
): Promise<Page<RosterMember>> {
  const { items, next } = await queryPage(store, {
    pk: conversationPk(conversation),
    prefix: MEMBER_PREFIX,
    ...(after !== undefined && { after: memberKey(conversation, after) }),
    limit,
  });
  return { items: items.map(memberOf), ...(next !== undefined && { next: memberIdOf(next) }) };
}

/** One Query. */
export async function conversationsOf(
  store: Store,
  user: UserKey,
  after: string | undefined,
  limit: number,
): Promise<Page<ConversationKey>> {
  const { items, next } = await queryPage(store, {
    pk: userPk(user),
    prefix: CONVERSATION_PREFIX,
    ...(after !== undefined && { after: placeKey(user, after) }),
    limit,
  });
  const idOf = (sk: string): string => sk.slice(CONVERSATION_PREFIX.length);
  const { workspaceId } = splitKey(user);
  return {
    items: items.map((item) => conversationKey({ workspaceId }, idOf(textIn(item, 'sk')))),
    ...(next !== undefined && { next: idOf(next) }),
  };
}

function keysOf(conversation: ConversationKey, userId: string): Item[] {
  return [headKey(conversation), rosterKey(conversation), memberKey(conversation, userId)];
}

/** `torn`: head and roster were read from before and after a change. */
function assemble(
  [headItem, rosterItem, ownItem]: readonly (Item | undefined)[],
  userId: string,
): Membership | 'torn' | undefined {
  if (!headItem) return undefined;
  const head = headOf(headItem);
  const own = ownItem && memberOf(ownItem);
  if (head.memberCount > LIMITS.rosterInlineMax) return own && { head, me: own };
  if (!rosterItem || wholeIn(rosterItem, 'rosterVersion') !== head.rosterVersion) return 'torn';
  const roster = seatsOf(rosterItem);
  const seat = roster.find((one) => one.userId === userId);
  if (!seat) return undefined;
  const { deliveredSeq, readSeq } = own ?? { deliveredSeq: seat.joinedSeq, readSeq: seat.joinedSeq };
  return { head, me: { ...seat, deliveredSeq, readSeq }, roster };
}
