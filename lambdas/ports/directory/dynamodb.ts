import type { EntryId, Member, Receipt } from '@parley/protocol';
import type { ConversationKey, UserKey } from '../../runtime/keys.ts';
import { addConnection, connectionsOf, removeConnection } from './dynamodb/connections.ts';
import { createConversation } from './dynamodb/creation.ts';
import { conversationsOf, head, members, memberships, readForAppend } from './dynamodb/memberships.ts';
import { idOf, takeNumber } from './dynamodb/numbers.ts';
import { raiseReceipt } from './dynamodb/receipts.ts';
import { changeRoster } from './dynamodb/rosters.ts';
import { repoint, reserve } from './dynamodb/sends.ts';
import type { Store } from './dynamodb/store.ts';
import { activeUsers, admitUser, setUserState, workspaceMembers } from './dynamodb/users.ts';
import type {
  AppendView,
  Connection,
  DedupeKey,
  DedupeRow,
  Directory,
  Head,
  Membership,
  NewConversation,
  NumberRequest,
  NumberTaken,
  Page,
  RosterMember,
  RosterRequest,
  UserState,
} from './port.ts';

/** The directory in three DynamoDB tables. What each call costs stands with the function that carries it out. */
export class DynamoDirectory implements Directory {
  constructor(private readonly store: Store) {}

  createConversation(conversation: NewConversation): Promise<boolean> {
    return createConversation(this.store, conversation);
  }

  async membership(conversation: ConversationKey, userId: string): Promise<Membership | undefined> {
    return (await memberships(this.store, [conversation], userId)).get(conversation);
  }

  head(conversation: ConversationKey): Promise<Head | undefined> {
    return head(this.store, conversation);
  }

  memberships(conversations: readonly ConversationKey[], userId: string): Promise<Map<ConversationKey, Membership>> {
    return memberships(this.store, conversations, userId);
  }

  conversationsOf(user: UserKey, after: string | undefined, limit: number): Promise<Page<ConversationKey>> {
    return conversationsOf(this.store, user, after, limit);
  }

  members(conversation: ConversationKey, after: string | undefined, limit: number): Promise<Page<RosterMember>> {
    return members(this.store, conversation, after, limit);
  }

  readForAppend(key: DedupeKey, user: UserKey, connectionId: string): Promise<AppendView> {
    return readForAppend(this.store, key, user, connectionId);
  }

  takeNumber(request: NumberRequest): Promise<NumberTaken> {
    return takeNumber(this.store, request);
  }

  changeRoster(request: RosterRequest): Promise<DedupeRow | undefined> {
    return changeRoster(this.store, request);
  }

  idOf(conversation: ConversationKey, seq: number): Promise<EntryId | undefined> {
    return idOf(this.store, conversation, seq);
  }

  reserve(key: DedupeKey, row: DedupeRow): Promise<DedupeRow> {
    return reserve(this.store, key, row);
  }

  repoint(key: DedupeKey, from: EntryId, row: DedupeRow): Promise<DedupeRow> {
    return repoint(this.store, key, from, row);
  }

  raiseReceipt(conversation: ConversationKey, receipt: Receipt): Promise<{ receipt: Receipt; raised: boolean }> {
    return raiseReceipt(this.store, conversation, receipt);
  }

  addConnection(user: UserKey, connection: Connection): Promise<readonly Connection[]> {
    return addConnection(this.store, user, connection);
  }

  removeConnection(user: UserKey, connectionId: string): Promise<void> {
    return removeConnection(this.store, user, connectionId);
  }

  connectionsOf(users: readonly UserKey[]): Promise<Map<UserKey, readonly Connection[]>> {
    return connectionsOf(this.store, users);
  }

  admitUser(user: UserKey, name: string | undefined): Promise<UserState> {
    return admitUser(this.store, user, name);
  }

  setUserState(user: UserKey, state: UserState): Promise<void> {
    return setUserState(this.store, user, state);
  }

  activeUsers(users: readonly UserKey[]): Promise<Set<UserKey>> {
    return activeUsers(this.store, users);
  }

  workspaceMembers(workspaceId: string, after: string | undefined, limit: number): Promise<Page<Member>> {
    return workspaceMembers(this.store, workspaceId, after, limit);
  }
}
