import { compareIds, LIMITS, type EntryId, type Member, type Receipt } from '@parley/protocol';
import { splitKey, userKey, type ConversationKey, type UserKey } from '../../runtime/keys.ts';
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

interface StoredConversation {
  head: Head;
  /** The id of number n stands at n - 1. */
  readonly ids: EntryId[];
  readonly roster: Map<string, RosterMember>;
}

interface StoredUser {
  state: UserState;
  name?: string;
}

/** A directory in this process: for `npm start` and for tests. Gone when the process ends. */
export class MemoryDirectory implements Directory {
  private readonly conversations = new Map<ConversationKey, StoredConversation>();
  private readonly byUser = new Map<UserKey, Set<ConversationKey>>();
  /** In the order of their making, so that the oldest are found first. */
  private readonly dedupeRows = new Map<string, DedupeRow>();
  private readonly connections = new Map<UserKey, Map<string, Connection>>();
  private readonly workspaces = new Map<string, Map<string, StoredUser>>();
  /** A process that starts anew has lost its logs: cursors of an earlier one must not seem to fit. */
  private readonly epoch: number;

  /** `onSend` gets every dedupe row that is written, as the stream of the table tells of it. */
  constructor(
    private readonly now: () => number = Date.now,
    private readonly onSend: (conversation: ConversationKey, row: DedupeRow) => void = () => undefined,
  ) {
    this.epoch = now();
  }

  createConversation(made: NewConversation): Promise<boolean> {
    if (this.conversations.has(made.conversation)) return Promise.resolve(false);
    const { conversation, members, ...settings } = made;
    const roster = new Map<string, RosterMember>();
    for (const member of members) this.seat(conversation, roster, member, 0);
    const start = { epoch: this.epoch, seq: 0, lastId: '0', lastBy: '', rosterVersion: 1, memberCount: roster.size };
    this.conversations.set(conversation, { head: { ...settings, ...start }, ids: [], roster });
    return Promise.resolve(true);
  }

  membership(conversation: ConversationKey, userId: string): Promise<Membership | undefined> {
    return Promise.resolve(this.membershipNow(conversation, userId));
  }

  head(conversation: ConversationKey): Promise<Head | undefined> {
    return Promise.resolve(this.conversations.get(conversation)?.head);
  }

  memberships(conversations: readonly ConversationKey[], userId: string): Promise<Map<ConversationKey, Membership>> {
    const found = new Map<ConversationKey, Membership>();
    for (const conversation of conversations) {
      const membership = this.membershipNow(conversation, userId);
      if (membership) found.set(conversation, membership);
    }
    return Promise.resolve(found);
  }

  conversationsOf(user: UserKey, after: string | undefined, limit: number): Promise<Page<ConversationKey>> {
    return Promise.resolve(page(this.byUser.get(user) ?? [], (key) => splitKey(key).id, after, limit));
  }

  members(conversation: ConversationKey, after: string | undefined, limit: number): Promise<Page<RosterMember>> {
    const roster = this.conversations.get(conversation)?.roster.values() ?? [];
    return Promise.resolve(page(roster, (member) => member.userId, after, limit));
  }

  readForAppend(key: DedupeKey, user: UserKey, connectionId: string): Promise<AppendView> {
    const membership = this.membershipNow(key.conversation, key.userId);
    const dedupe = this.dedupeRows.get(dedupeId(key));
    return Promise.resolve({
      ...(membership && { membership }),
      ...(dedupe && { dedupe }),
      connected: this.connections.get(user)?.has(connectionId) ?? false,
    });
  }

  takeNumber(request: NumberRequest): Promise<NumberTaken> {
    return Promise.resolve(this.takeNumberNow(request));
  }

  changeRoster(request: RosterRequest): Promise<DedupeRow | undefined> {
    return Promise.resolve(this.changeRosterNow(request));
  }

  idOf(conversation: ConversationKey, seq: number): Promise<EntryId | undefined> {
    return Promise.resolve(this.conversations.get(conversation)?.ids[seq - 1]);
  }

  reserve(key: DedupeKey, row: DedupeRow): Promise<DedupeRow> {
    this.forgetOldDedupeRows();
    const existing = this.dedupeRows.get(dedupeId(key));
    if (!existing) this.keep(key, row);
    return Promise.resolve(existing ?? row);
  }

  repoint(key: DedupeKey, from: EntryId, row: DedupeRow): Promise<DedupeRow> {
    const existing = this.dedupeRows.get(dedupeId(key));
    if (existing && existing.id !== from) return Promise.resolve(existing);
    this.keep(key, row);
    return Promise.resolve(row);
  }

  raiseReceipt(conversation: ConversationKey, wanted: Receipt): Promise<{ receipt: Receipt; raised: boolean }> {
    const roster = this.conversations.get(conversation)?.roster;
    const member = roster?.get(wanted.userId);
    if (!roster || !member) return Promise.resolve({ receipt: wanted, raised: false });
    const readSeq = Math.max(member.readSeq, wanted.readSeq);
    const deliveredSeq = Math.max(member.deliveredSeq, wanted.deliveredSeq, readSeq);
    const raised = readSeq > member.readSeq || deliveredSeq > member.deliveredSeq;
    if (raised) roster.set(member.userId, { ...member, deliveredSeq, readSeq });
    return Promise.resolve({ receipt: { userId: member.userId, deliveredSeq, readSeq }, raised });
  }

  addConnection(user: UserKey, connection: Connection): Promise<readonly Connection[]> {
    let theirs = this.connections.get(user);
    if (!theirs) this.connections.set(user, (theirs = new Map<string, Connection>()));
    theirs.set(connection.connectionId, connection);
    return Promise.resolve(this.liveConnections(user));
  }

  removeConnection(user: UserKey, connectionId: string): Promise<void> {
    const theirs = this.connections.get(user);
    theirs?.delete(connectionId);
    if (theirs?.size === 0) this.connections.delete(user);
    return Promise.resolve();
  }

  connectionsOf(users: readonly UserKey[]): Promise<Map<UserKey, readonly Connection[]>> {
    const found = new Map<UserKey, readonly Connection[]>();
    for (const user of users) {
      const theirs = this.liveConnections(user);
      if (theirs.length > 0) found.set(user, theirs);
    }
    return Promise.resolve(found);
  }

  admitUser(user: UserKey, name: string | undefined): Promise<UserState> {
    const stored = this.userAt(user);
    if (stored.state === 'active' && name !== undefined) stored.name = name;
    return Promise.resolve(stored.state);
  }

  setUserState(user: UserKey, state: UserState): Promise<void> {
    this.userAt(user).state = state;
    return Promise.resolve();
  }

  activeUsers(users: readonly UserKey[]): Promise<Set<UserKey>> {
    const isActive = (user: UserKey): boolean => {
      const { workspaceId, id } = splitKey(user);
      return this.workspaces.get(workspaceId)?.get(id)?.state === 'active';
    };
    return Promise.resolve(new Set(users.filter(isActive)));
  }

  workspaceMembers(workspaceId: string, after: string | undefined, limit: number): Promise<Page<Member>> {
    const active: Member[] = [];
    for (const [userId, { state, name }] of this.workspaces.get(workspaceId) ?? []) {
      if (state === 'active') active.push({ userId, ...(name !== undefined && { name }) });
    }
    return Promise.resolve(page(active, (member) => member.userId, after, limit));
  }

  private takeNumberNow(request: NumberRequest): NumberTaken {
    const stored = this.conversations.get(request.conversation);
    if (stored?.head.rosterVersion !== request.rosterVersion) return { taken: false };
    const { lastId } = stored.head;
    const id =
      compareIds(request.id, lastId) > 0 ? request.id : (BigInt(lastId) + BigInt(Math.max(1, request.step))).toString();
    const seq = stored.head.seq + 1;
    stored.head = { ...stored.head, seq, lastId: id, lastBy: request.nonce };
    stored.ids.push(id);
    return { taken: true, seq, id };
  }

  private changeRosterNow(request: RosterRequest): DedupeRow | undefined {
    const { conversation, change, key, row } = request;
    const stored = this.conversations.get(conversation);
    const isMember = stored?.roster.has(change.userId) ?? false;
    if (!stored || isMember === (change.type === 'add') || this.dedupeRows.has(dedupeId(key))) return undefined;
    const taken = this.takeNumberNow(request);
    if (!taken.taken) return undefined;
    if (change.type === 'add') this.seat(conversation, stored.roster, change, taken.seq - 1);
    else this.unseat(conversation, stored.roster, change.userId);
    const { rosterVersion } = stored.head;
    stored.head = { ...stored.head, rosterVersion: rosterVersion + 1, memberCount: stored.roster.size };
    const placed = { ...row, id: taken.id, seq: taken.seq };
    this.keep(key, placed);
    return placed;
  }

  private seat(
    conversation: ConversationKey,
    roster: Map<string, RosterMember>,
    { userId, role }: Pick<RosterMember, 'userId' | 'role'>,
    joinedSeq: number,
  ): void {
    roster.set(userId, { userId, role, joinedSeq, deliveredSeq: joinedSeq, readSeq: joinedSeq });
    const user = siblingKey(conversation, userId);
    const theirs = this.byUser.get(user);
    if (theirs) theirs.add(conversation);
    else this.byUser.set(user, new Set([conversation]));
  }

  private unseat(conversation: ConversationKey, roster: Map<string, RosterMember>, userId: string): void {
    const gone = roster.get(userId);
    roster.delete(userId);
    this.byUser.get(siblingKey(conversation, userId))?.delete(conversation);
    const [successor] = roster.values();
    if (gone?.role === 'owner' && successor) roster.set(successor.userId, { ...successor, role: 'owner' });
  }

  private membershipNow(conversation: ConversationKey, userId: string): Membership | undefined {
    const stored = this.conversations.get(conversation);
    const me = stored?.roster.get(userId);
    if (!stored || !me) return undefined;
    const { head, roster } = stored;
    return { head, me, ...(roster.size <= LIMITS.rosterInlineMax && { roster: [...roster.values()] }) };
  }

  private liveConnections(user: UserKey): Connection[] {
    const theirs = this.connections.get(user);
    return theirs ? [...theirs.values()].filter((connection) => connection.expiresAtMs > this.now()) : [];
  }

  private userAt(user: UserKey): StoredUser {
    const { workspaceId, id } = splitKey(user);
    let workspace = this.workspaces.get(workspaceId);
    if (!workspace) this.workspaces.set(workspaceId, (workspace = new Map<string, StoredUser>()));
    let stored = workspace.get(id);
    if (!stored) workspace.set(id, (stored = { state: 'active' }));
    return stored;
  }

  private keep(key: DedupeKey, row: DedupeRow): void {
    this.dedupeRows.set(dedupeId(key), row);
    this.onSend(key.conversation, row);
  }

  private forgetOldDedupeRows(): void {
    const oldest = this.now() - LIMITS.dedupeTtlMs;
    for (const [id, row] of this.dedupeRows) {
      if (row.sentAtMs > oldest) return;
      this.dedupeRows.delete(id);
    }
  }
}

/** The key of a user of the same workspace as a conversation. */
function siblingKey(conversation: ConversationKey, userId: string): UserKey {
  return userKey(splitKey(conversation), userId);
}

/** Parts are length-prefixed: no two different keys are ever written alike. */
function dedupeId({ conversation, userId, clientKey }: DedupeKey): string {
  return [conversation, userId, clientKey].map((part) => `${part.length}:${part}`).join('');
}

function page<T>(items: Iterable<T>, idOf: (item: T) => string, after: string | undefined, limit: number): Page<T> {
  const sorted = [...items]
    .filter((item) => after === undefined || idOf(item) > after)
    .sort((a, b) => (idOf(a) < idOf(b) ? -1 : 1));
  const found = sorted.slice(0, limit);
  const last = found.at(-1);
  return { items: found, ...(sorted.length > limit && last !== undefined && { next: idOf(last) }) };
}
