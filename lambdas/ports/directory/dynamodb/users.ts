import type { Member } from '@parley/protocol';
import type { UserKey } from '../../../runtime/keys.ts';
import type { Page, UserState } from '../port.ts';
import { userKey } from '../../../runtime/keys.ts';
import { ConditionFailed } from './api.ts';
import { batchGet } from './batch-get.ts';
import { WORKSPACE_MEMBER_PREFIX, workspaceMemberKey, workspacePk } from './keys.ts';
import { queryPage } from './query.ts';
import type { Store } from './store.ts';
import { names, optionalTextIn, text, textIn, type Item } from './values.ts';

/** One GetItem; an UpdateItem only for a new user or another name, since everybody's every connect comes here. */
export async function admitUser(
  { dynamo, tables }: Store,
  user: UserKey,
  name: string | undefined,
): Promise<UserState> {
  const place = { TableName: tables.directory, Key: workspaceMemberKey(user) };
  const { Item: standing } = await dynamo.call('GetItem', { ...place, ConsistentRead: true });
  if (standing && !needsName(standing, name)) return stateIn(standing);
  try {
    await dynamo.call('UpdateItem', {
      ...place,
      UpdateExpression: `SET #state = :active${name === undefined ? '' : ', #name = :name'}`,
      ConditionExpression: 'attribute_not_exists(#state) OR #state = :active',
      ExpressionAttributeNames: names('state', ...(name === undefined ? [] : ['name'])),
      ExpressionAttributeValues: { ':active': text('active'), ...(name !== undefined && { ':name': text(name) }) },
      ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
    });
    return 'active';
  } catch (error) {
    if (!(error instanceof ConditionFailed) || !error.item) throw error;
    return stateIn(error.item);
  }
}

function needsName(standing: Item, name: string | undefined): boolean {
  return stateIn(standing) === 'active' && name !== undefined && name !== optionalTextIn(standing, 'name');
}

/** One UpdateItem. */
export async function setUserState({ dynamo, tables }: Store, user: UserKey, state: UserState): Promise<void> {
  await dynamo.call('UpdateItem', {
    TableName: tables.directory,
    Key: workspaceMemberKey(user),
    UpdateExpression: 'SET #state = :state',
    ExpressionAttributeNames: names('state'),
    ExpressionAttributeValues: { ':state': text(state) },
  });
}

/** One BatchGetItem for every 100 users. */
export async function activeUsers({ dynamo, tables }: Store, users: readonly UserKey[]): Promise<Set<UserKey>> {
  const items = await batchGet(
    dynamo,
    users.map((user) => ({ table: tables.directory, key: workspaceMemberKey(user) })),
  );
  return new Set(users.filter((_, i) => isActive(items[i])));
}

/** One Query for a page, unless most of those on it are not active. */
export async function workspaceMembers(
  store: Store,
  workspaceId: string,
  after: string | undefined,
  limit: number,
): Promise<Page<Member>> {
  const { items, next } = await queryPage(store, {
    pk: workspacePk(workspaceId),
    prefix: WORKSPACE_MEMBER_PREFIX,
    ...(after !== undefined && { after: workspaceMemberKey(userKey({ workspaceId }, after)) }),
    limit,
    only: isActive,
  });
  const idOf = (sk: string): string => sk.slice(WORKSPACE_MEMBER_PREFIX.length);
  const toMember = (item: Item): Member => {
    const name = optionalTextIn(item, 'name');
    return { userId: idOf(textIn(item, 'sk')), ...(name !== undefined && { name }) };
  };
  return { items: items.map(toMember), ...(next !== undefined && { next: idOf(next) }) };
}

function isActive(item: Item | undefined): boolean {
  return item !== undefined && stateIn(item) === 'active';
}

function stateIn(item: Item): UserState {
  return textIn(item, 'state') as UserState;
}
