import { splitKey, type UserKey } from '../runtime/keys.ts';

type Fields = Partial<Record<string, unknown>>;

/** `{workspaceId}/{id}` */
const KEY = /^[^/]+\/[^/]+$/;

/**
 * Refuses a record before anything of it is carried out: one that names nobody, or holds no event, would spoil everything else that is posted
 * with it, and one whose entry is of another conversation than its recipients must reach nobody. Types that are not known are not looked at.
 * @throws {Error} what is wrong, without what it holds
 */
export function checkRecord(record: Fields): void {
  const { type, conversation, entry, event, served, exceptConnectionId } = record;
  switch (type) {
    case 'entry':
      require(isOf(entry, conversation), 'entry');
      require(served === 'all' || isListOf(served, isName), 'served');
      break;
    case 'receipt':
      require(isEvent(event) && isOf(event['body'], conversation), 'event');
      break;
    case 'conversation':
      require(isOf(record['shared'], conversation), 'shared');
      break;
    case 'users':
      require(isListOf(record['users'], isKey) && isEvent(event), 'users');
      break;
    case 'connections':
      require(isListOf(record['connections'], isTarget) && isEvent(event), 'connections');
      break;
    case 'close':
      require(isKey(record['user']) && isName(record['connectionId']), 'connectionId');
  }
  require(exceptConnectionId === undefined || isName(exceptConnectionId), 'exceptConnectionId');
}

function require(holds: boolean, field: string): void {
  if (!holds) throw new Error(`a record with a bad ${field}`);
}

/** Whether it says of itself that it belongs to the conversation. */
function isOf(value: unknown, conversation: unknown): boolean {
  return isObject(value) && isKey(conversation) && value['conversationId'] === splitKey(conversation).id;
}

function isEvent(value: unknown): value is Fields {
  return isObject(value) && isName(value['type']) && isObject(value['body']);
}

function isTarget(value: unknown): boolean {
  return isObject(value) && isKey(value['user']) && isName(value['connectionId']);
}

function isListOf(value: unknown, isOne: (one: unknown) => boolean): boolean {
  return Array.isArray(value) && value.every(isOne);
}

function isKey(value: unknown): value is UserKey {
  return typeof value === 'string' && KEY.test(value);
}

function isName(value: unknown): value is string {
  return typeof value === 'string' && value !== '';
}

function isObject(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
