import * as v from 'valibot';
import { LIMITS } from './limits.ts';
import {
  clientMessageId,
  clientRequestId,
  content,
  conversation,
  conversationId,
  conversationType,
  cursor,
  entry,
  entryId,
  epoch,
  instantMs,
  member,
  pageToken,
  presence,
  receipt,
  role,
  seq,
  title,
  userId,
  wholeNumber,
} from './schema.ts';

/** The deployed functions that serve actions: one per permission, scaling and alarm boundary. */
export const ACTION_FUNCTIONS = ['send', 'heartbeat', 'receipt', 'sync', 'conversation'] as const;
export type ActionFunction = (typeof ACTION_FUNCTIONS)[number];

export interface ActionRow {
  /** The function that the route of this action invokes. */
  readonly function: ActionFunction;
  /** One sentence for the reference. */
  readonly summary: string;
  /** How many a user may send at once, and per second after that. */
  readonly rate: { readonly burst: number; readonly perSecond: number };
  readonly body: v.GenericSchema;
  readonly reply: v.GenericSchema;
}

const RARE = { burst: 20, perSecond: 1 };
const OFTEN = { burst: 60, perSecond: 20 };

/** Where an entry was appended. A repeat with the same client key gets the same answer. */
const appended = v.object({ conversationId, id: entryId, seq, sentAtMs: instantMs });

const resumed = v.object({
  ...conversation.entries,
  /** Oldest first, from the cursor on; without a cursor the newest ones. */
  entries: v.array(entry),
  /** Nothing up to here is missing from the answer, counted from the cursor (or from the first entry given). */
  completeToSeq: seq,
  /** More entries exist than the answer holds: after them (go on with `log.sync`), or without a cursor before them (`log.page`). */
  limited: v.boolean(),
});

/** Every action of `parley.v1`: from here come validators, routes, handlers, the SDK's types and the reference. */
export const ACTIONS = {
  'session.start': {
    function: 'sync',
    summary: 'The first request on a socket: what changed since the given cursors, and how long the socket lives.',
    rate: OFTEN,
    body: v.object({
      cursors: v.optional(
        v.pipe(
          v.record(conversationId, v.object({ ...cursor.entries, epoch })),
          v.maxEntries(LIMITS.cursorsMax, `must name at most ${String(LIMITS.cursorsMax)} conversations`),
        ),
      ),
      page: v.optional(pageToken),
    }),
    reply: v.object({
      userId,
      workspaceId: v.string(),
      deviceId: v.string(),
      serverTimeMs: instantMs,
      socketEndsAtMs: instantMs,
      heartbeatIntervalMs: wholeNumber(1_000, 600_000),
      limits: v.object({ textMaxBytes: v.number(), messageMaxBytes: v.number(), groupMembersMax: v.number() }),
      /** Only those that changed since their cursors. */
      conversations: v.array(resumed),
      /** Of the conversations named by cursors: those that the caller is no member of (any more). Complete on the first page. */
      gone: v.array(conversationId),
      nextPage: v.optional(pageToken),
    }),
  },
  'session.end': {
    function: 'heartbeat',
    summary: 'Ends the presence of this connection at once, before the client closes the socket.',
    rate: RARE,
    body: v.object({}),
    reply: v.object({}),
  },
  'message.send': {
    function: 'send',
    summary:
      'Appends a message. A repeat with the same clientMessageId gets the same answer and has no further effect.',
    rate: { burst: 200, perSecond: 50 },
    body: v.object({
      conversationId,
      clientMessageId,
      content,
      threadId: v.optional(entryId),
      replyToId: v.optional(entryId),
      mentions: v.optional(v.pipe(v.array(userId), v.maxLength(LIMITS.mentionsMax))),
    }),
    reply: appended,
  },
  'message.edit': {
    function: 'send',
    summary: 'Gives an own message another content, by an entry of kind edit. A repeat has no further effect.',
    rate: OFTEN,
    body: v.object({ conversationId, clientRequestId, targetId: entryId, content }),
    reply: appended,
  },
  'message.delete': {
    function: 'send',
    summary:
      'Deletes the content of a message, and of every edit of it, for everybody: an own one, or as owner of the conversation any. A repeat has no further effect.',
    rate: OFTEN,
    body: v.object({ conversationId, clientRequestId, targetId: entryId }),
    reply: appended,
  },
  'log.sync': {
    function: 'sync',
    summary: 'The entries after a cursor, oldest first, and up to where they are provably whole.',
    rate: OFTEN,
    body: v.object({
      conversationId,
      epoch: v.optional(epoch),
      after: cursor,
      limit: v.optional(wholeNumber(1, LIMITS.syncLimitMax)),
    }),
    reply: v.object({
      epoch,
      headSeq: seq,
      entries: v.array(entry),
      completeToSeq: seq,
      limited: v.boolean(),
      next: v.optional(cursor),
      retryAfterMs: v.optional(instantMs),
    }),
  },
  'log.page': {
    function: 'sync',
    summary: 'A page of history, newest first, walking backwards.',
    rate: OFTEN,
    body: v.object({
      conversationId,
      beforeId: v.optional(entryId),
      limit: v.optional(wholeNumber(1, LIMITS.pageLimitMax)),
    }),
    reply: v.object({ entries: v.array(entry), nextBeforeId: v.optional(entryId) }),
  },
  'receipt.set': {
    function: 'receipt',
    summary: 'Says up to which seq the caller has got and read a conversation. Never goes back.',
    rate: OFTEN,
    body: v.object({ conversationId, deliveredSeq: v.optional(seq), readSeq: v.optional(seq) }),
    reply: v.object({ deliveredSeq: seq, readSeq: seq }),
  },
  'receipts.get': {
    function: 'receipt',
    summary: 'How far each member has got and read.',
    rate: OFTEN,
    body: v.object({ conversationId, page: v.optional(pageToken) }),
    reply: v.object({ receipts: v.array(receipt), nextPage: v.optional(pageToken) }),
  },
  heartbeat: {
    function: 'heartbeat',
    summary: 'Keeps the caller online and the socket open; names the conversations that moved on without the client.',
    rate: OFTEN,
    body: v.object({
      heads: v.optional(
        v.pipe(
          v.record(conversationId, seq),
          v.maxEntries(LIMITS.heartbeatHeadsMax, `must name at most ${String(LIMITS.heartbeatHeadsMax)} conversations`),
        ),
      ),
      invisible: v.optional(v.boolean()),
    }),
    reply: v.object({
      serverTimeMs: instantMs,
      behind: v.array(v.object({ conversationId, headSeq: seq })),
      presence: v.array(presence),
    }),
  },
  'presence.watch': {
    function: 'heartbeat',
    summary:
      'Says whose presence this connection wants to see; replaces the set. Users unknown to the workspace are left out of the answer.',
    rate: OFTEN,
    body: v.object({ userIds: v.pipe(v.array(userId), v.maxLength(LIMITS.watchedUsersMax)) }),
    reply: v.object({ presence: v.array(presence) }),
  },
  'presence.unwatch': {
    function: 'heartbeat',
    summary: 'Stops all presence events for this connection.',
    rate: OFTEN,
    body: v.object({}),
    reply: v.object({}),
  },
  'typing.set': {
    function: 'heartbeat',
    summary: 'Tells the other members that the caller types; ends by itself. Never stored.',
    rate: { burst: 200, perSecond: 100 },
    body: v.object({ conversationId, typing: v.boolean() }),
    reply: v.object({}),
  },
  'conversation.create': {
    function: 'conversation',
    summary: 'Makes a direct conversation (one other member; the same pair always gets the same one) or a group.',
    rate: { burst: 60, perSecond: 5 },
    body: v.object({
      clientRequestId,
      type: conversationType,
      memberIds: v.optional(v.pipe(v.array(userId), v.maxLength(LIMITS.groupMembersMax))),
      title: v.optional(title),
    }),
    reply: v.object({ conversation }),
  },
  'conversation.get': {
    function: 'conversation',
    summary: 'One conversation of the caller.',
    rate: OFTEN,
    body: v.object({ conversationId }),
    reply: v.object({ conversation }),
  },
  'conversation.leave': {
    function: 'conversation',
    summary: 'Leaves a group. When its owner leaves, another member becomes the owner. A repeat has no further effect.',
    rate: { burst: 60, perSecond: 5 },
    body: v.object({ conversationId, clientRequestId }),
    reply: appended,
  },
  'conversation.list': {
    function: 'conversation',
    summary: 'The conversations of the caller, a page at a time.',
    rate: OFTEN,
    body: v.object({ page: v.optional(pageToken) }),
    reply: v.object({ conversations: v.array(conversation), nextPage: v.optional(pageToken) }),
  },
  'member.add': {
    function: 'conversation',
    summary:
      'Adds a user to a group, as its owner. The user sees what is said from then on. A repeat has no further effect.',
    rate: { burst: 60, perSecond: 5 },
    body: v.object({ conversationId, clientRequestId, userId }),
    reply: appended,
  },
  'member.remove': {
    function: 'conversation',
    summary: 'Removes another member from a group, as its owner. A repeat has no further effect.',
    rate: { burst: 60, perSecond: 5 },
    body: v.object({ conversationId, clientRequestId, userId }),
    reply: appended,
  },
  'member.list': {
    function: 'conversation',
    summary: 'The members of a conversation, a page at a time.',
    rate: OFTEN,
    body: v.object({ conversationId, page: v.optional(pageToken) }),
    reply: v.object({ members: v.array(v.object({ userId, role })), nextPage: v.optional(pageToken) }),
  },
  'workspace.members': {
    function: 'conversation',
    summary: 'The people of the workspace, a page at a time.',
    rate: OFTEN,
    body: v.object({ page: v.optional(pageToken) }),
    reply: v.object({ members: v.array(member), nextPage: v.optional(pageToken) }),
  },
} as const satisfies Record<string, ActionRow>;

export type ActionName = keyof typeof ACTIONS;
export type Body<A extends ActionName> = v.InferOutput<(typeof ACTIONS)[A]['body']>;
export type Reply<A extends ActionName> = v.InferOutput<(typeof ACTIONS)[A]['reply']>;

export const ACTION_NAMES = Object.keys(ACTIONS) as ActionName[];

export function isActionName(name: string): name is ActionName {
  return Object.hasOwn(ACTIONS, name);
}
