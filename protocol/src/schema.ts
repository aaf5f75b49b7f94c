import * as v from 'valibot';
import { isEntryId } from './ids.ts';
import { LIMITS } from './limits.ts';

/** A user as the token names it (`sub`). */
export const USER_ID = new RegExp(`^[A-Za-z0-9._@|:+~-]{1,${LIMITS.userIdMaxChars}}$`);
export const WORKSPACE_ID = new RegExp(`^[A-Za-z0-9._-]{1,${LIMITS.workspaceIdMaxChars}}$`);
export const DEVICE_ID = new RegExp(`^[A-Za-z0-9._-]{1,${LIMITS.deviceIdMaxChars}}$`);

export const userId = v.pipe(v.string(), v.regex(USER_ID, 'must be 1 to 128 of A-Z a-z 0-9 . _ @ | : + ~ -'));
export const conversationId = v.pipe(
  v.string(),
  v.regex(/^[A-Za-z0-9_-]{1,64}$/, 'must be 1 to 64 of A-Z a-z 0-9 _ -'),
);
export const entryId = v.pipe(
  v.string(),
  v.check(isEntryId, 'must be a decimal from 0 to 2^63 - 1 in a string, without leading zeros'),
);

/** Chosen by the client; the same value asks for the same effect. */
export const clientMessageId = v.pipe(
  v.string(),
  v.regex(/^[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$/, 'must be a UUID'),
);
export const clientRequestId = v.pipe(
  v.string(),
  v.regex(/^[A-Za-z0-9_-]{1,64}$/, 'must be 1 to 64 of A-Z a-z 0-9 _ -'),
);

/** The place of an entry in its conversation: contiguous from 1; 0 stands before all. */
export const seq = wholeNumber(0, Number.MAX_SAFE_INTEGER);
export const epoch = wholeNumber(1, Number.MAX_SAFE_INTEGER);
export const instantMs = wholeNumber(0, Number.MAX_SAFE_INTEGER);

/** An integer from `min` to `max`, both included; refuses -0, which JSON can write and no counter means. */
export function wholeNumber(min: number, max: number) {
  return v.pipe(
    v.number(),
    v.safeInteger('must be a whole number'),
    v.minValue(min, `must be at least ${String(min)}`),
    v.maxValue(max, `must be at most ${String(max)}`),
    v.check((n) => !Object.is(n, -0), 'must not be -0'),
  );
}

const hasNoNul = (text: string): boolean => !text.includes('\0');
/** Controls and the marks that turn the reading direction, which could make one name look like another. */
// eslint-disable-next-line no-control-regex -- controls are what is refused
const NAME_FORBIDDEN = /[\u0000-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]/;
const isName = (text: string): boolean => text.trim() !== '' && !NAME_FORBIDDEN.test(text);

/** Shown to people as it stands, so free of controls and direction marks. */
export const title = v.pipe(v.string(), v.maxLength(LIMITS.titleMaxChars), v.check(isName, 'must be readable text'));
export const displayName = v.pipe(
  v.string(),
  v.maxLength(LIMITS.nameMaxChars),
  v.check(isName, 'must be readable text'),
);

/** What a message says. Later also media and encrypted content. */
export const content = v.object({
  type: v.literal('text'),
  /** Kept byte for byte, never normalised; without NUL. */
  text: v.pipe(v.string(), v.minLength(1), v.maxBytes(LIMITS.textMaxBytes), v.check(hasNoNul, 'must not contain NUL')),
});
export type Content = v.InferOutput<typeof content>;

/** Everything up to `seq` is known, and `id` is the id of the entry with that number. `{seq: 0, id: "0"}` is the beginning. */
export const cursor = v.object({ seq, id: entryId });
export type Cursor = v.InferOutput<typeof cursor>;

/** An owner adds and removes members, and may delete any message. Direct conversations have none. */
export const role = v.picklist(['owner', 'member']);
export type Role = v.InferOutput<typeof role>;

const placed = { conversationId, id: entryId, seq };
const written = { ...placed, senderId: userId, sentAtMs: instantMs };

const messageEntry = v.object({
  ...written,
  kind: v.literal('message'),
  clientMessageId,
  content,
  threadId: v.optional(entryId),
  replyToId: v.optional(entryId),
  mentions: v.optional(v.array(userId)),
});
/** A message whose content was deleted: it keeps its place. The entry of kind `delete` says who did it. */
const deletedEntry = v.object({ ...written, kind: v.literal('deleted'), clientMessageId });
/** What a message says from here on; the latest one counts. */
const editEntry = v.object({ ...written, kind: v.literal('edit'), targetId: entryId, content });
/** From here on a message, and every edit of it, says nothing any more. */
const deleteEntry = v.object({ ...written, kind: v.literal('delete'), targetId: entryId });
/** `userId` joined or left. Who left is also the sender; who was removed is not. */
const memberEntry = v.object({
  ...written,
  kind: v.literal('member'),
  userId,
  change: v.picklist(['joined', 'left']),
  /** Of who joined. */
  role: v.optional(role),
});
/** A number that was reserved and never used, an entry that is withheld from the reader, or an edit of a message that was deleted. */
const voidEntry = v.object({ ...placed, kind: v.literal('void') });

/** One element of a conversation's log. Clients skip kinds that they do not know, and count their `seq`. */
export const entry = v.variant('kind', [messageEntry, deletedEntry, editEntry, deleteEntry, memberEntry, voidEntry]);
export type Entry = v.InferOutput<typeof entry>;
export type MessageEntry = v.InferOutput<typeof messageEntry>;
export type DeletedEntry = v.InferOutput<typeof deletedEntry>;
export type EditEntry = v.InferOutput<typeof editEntry>;
export type DeleteEntry = v.InferOutput<typeof deleteEntry>;
export type MemberEntry = v.InferOutput<typeof memberEntry>;
export type VoidEntry = v.InferOutput<typeof voidEntry>;

export const conversationType = v.picklist(['direct', 'group']);
export type ConversationType = v.InferOutput<typeof conversationType>;

export const conversation = v.object({
  conversationId,
  type: conversationType,
  title: v.optional(title),
  epoch,
  headSeq: seq,
  memberCount: wholeNumber(1, LIMITS.groupMembersMax),
  /** Only up to 32 members; beyond, `member.list`. */
  members: v.optional(v.array(v.object({ userId, role }))),
  me: v.object({ role, joinedSeq: seq, deliveredSeq: seq, readSeq: seq }),
  createdAtMs: instantMs,
});
export type Conversation = v.InferOutput<typeof conversation>;

export const receipt = v.object({ userId, deliveredSeq: seq, readSeq: seq });
export type Receipt = v.InferOutput<typeof receipt>;

export const presence = v.object({
  userId,
  state: v.picklist(['online', 'offline', 'unknown']),
  lastSeenAtMs: v.optional(instantMs),
});
export type Presence = v.InferOutput<typeof presence>;

export const member = v.object({ userId, name: v.optional(displayName) });
export type Member = v.InferOutput<typeof member>;

/** Where the next page starts; opaque, and only good for the same call. */
export const pageToken = v.pipe(
  v.string(),
  v.regex(/^[A-Za-z0-9_-]{1,512}$/, 'must be a page token of an earlier answer'),
);
