import { LIMITS, utf8Bytes, type Body, type Conversation, type Cursor, type Entry } from '@parley/protocol';
import type { Membership } from '../ports/directory/port.ts';
import { conversationKey, splitKey, userKey, type ConversationKey, type Principal } from '../runtime/keys.ts';
import type { Services } from '../runtime/services.ts';
import type { Action } from './action.ts';
import { fitting, toEntry } from './shared/entries.ts';
import { toConversation } from './shared/membership.ts';
import { fromPageToken, toPageToken } from './shared/page-token.ts';
import { readAfter, readBefore } from './shared/read-log.ts';

type Cursors = NonNullable<Body<'session.start'>['cursors']>;
type Resumed = Conversation & { entries: Entry[]; completeToSeq: number; limited: boolean };

/** Conversations whose logs are read side by side. */
const READ_TOGETHER = 8;

export const startSession: Action<'session.start'> = async ({ cursors = {}, page }, principal, services) => {
  const user = userKey(principal, principal.userId);
  const after = fromPageToken(page);
  const keys = await services.directory.conversationsOf(user, after, LIMITS.conversationPageMax);
  const memberships = await services.directory.memberships(keys.items, principal.userId);
  const gone = after === undefined ? await goneOf(cursors, principal, services) : [];
  const room = LIMITS.answerEntriesMaxBytes - utf8Bytes(JSON.stringify(gone));
  const { resumed, stoppedAt } = await resumeAll(memberships, cursors, room, services);
  const nextPage = toPageToken(stoppedAt ?? keys.next);
  return {
    userId: principal.userId,
    workspaceId: principal.workspaceId,
    deviceId: principal.deviceId,
    serverTimeMs: services.now(),
    socketEndsAtMs: Math.min(principal.connectedAtMs + LIMITS.socketMaxMs, principal.expiresAtMs),
    heartbeatIntervalMs: LIMITS.heartbeatIntervalMs,
    limits: {
      textMaxBytes: LIMITS.textMaxBytes,
      messageMaxBytes: LIMITS.messageMaxBytes,
      groupMembersMax: LIMITS.groupMembersMax,
    },
    conversations: resumed,
    gone,
    ...(nextPage !== undefined && { nextPage }),
  };
};

/** Resumes one conversation after the other until the answer is full; `stoppedAt` is the id of the last one that is in it then. */
async function resumeAll(
  memberships: ReadonlyMap<ConversationKey, Membership>,
  cursors: Cursors,
  maxBytes: number,
  services: Services,
): Promise<{ resumed: Resumed[]; stoppedAt?: string }> {
  const changed = [...memberships].filter(([key, { head }]) => {
    const cursor = cursorOf(cursors, key);
    return cursor?.epoch !== head.epoch || cursor.seq !== head.seq;
  });
  const resumed: Resumed[] = [];
  let bytesLeft = maxBytes;
  for (let at = 0; at < changed.length; at += READ_TOGETHER) {
    const group = changed.slice(at, at + READ_TOGETHER);
    const read = group.map(([key, membership]) => resume(key, membership, cursorOf(cursors, key), services));
    for (const one of await Promise.all(read)) {
      const { entries, ...rest } = one;
      const restBytes = utf8Bytes(JSON.stringify(rest));
      const previous = resumed.at(-1);
      if (previous && restBytes > bytesLeft) return { resumed, stoppedAt: previous.conversationId };
      const kept = keepFitting(one, bytesLeft - restBytes, cursors[one.conversationId]);
      bytesLeft -= restBytes + kept.bytes;
      resumed.push(kept.resumed);
    }
  }
  return { resumed };
}

async function resume(
  key: ConversationKey,
  membership: Membership,
  cursor: (Cursor & { epoch: number }) | undefined,
  services: Services,
): Promise<Resumed> {
  const conversation = toConversation(splitKey(key).id, membership);
  const limit = LIMITS.sessionEntriesMax;
  if (cursor?.epoch === membership.head.epoch) {
    const bounds = { limit, maxBytes: LIMITS.answerEntriesMaxBytes };
    const { entries, completeToSeq, limited } = await readAfter(key, membership, cursor, bounds, services);
    return { ...conversation, headSeq: headSeqOf(membership, entries), entries, completeToSeq, limited };
  }
  const { rows } = await readBefore(key, membership, undefined, limit, services);
  const entries = rows.reverse().map(toEntry);
  const { joinedSeq } = membership.me;
  const isWhole = entries[0] ? entries[0].seq === joinedSeq + 1 : membership.head.seq === joinedSeq;
  const headSeq = headSeqOf(membership, entries);
  return { ...conversation, headSeq, entries, completeToSeq: contiguousFrom(entries), limited: !isWhole };
}

/** The log is read after the head: what was appended between the two counts too. */
function headSeqOf({ head }: Membership, entries: readonly Entry[]): number {
  return Math.max(head.seq, entries.at(-1)?.seq ?? 0);
}

/** Drops what the answer has no room for: with a cursor from the newest end, without one from the oldest. */
function keepFitting(one: Resumed, maxBytes: number, cursor: (Cursor & { epoch: number }) | undefined) {
  const goesOn = cursor?.epoch === one.epoch;
  const ordered = goesOn ? one.entries : [...one.entries].reverse();
  const { entries, bytes } = fitting(ordered, Math.max(0, maxBytes));
  if (entries.length === one.entries.length) return { resumed: one, bytes };
  if (!goesOn) entries.reverse();
  const completeToSeq = goesOn
    ? Math.min(one.completeToSeq, entries.at(-1)?.seq ?? cursor.seq)
    : contiguousFrom(entries);
  return { resumed: { ...one, entries, completeToSeq, limited: true }, bytes };
}

/** The last number before the first gap, counted from the first entry. */
function contiguousFrom(entries: readonly Entry[]): number {
  let last = entries[0]?.seq ?? 0;
  for (const { seq } of entries) {
    if (seq > last + 1) break;
    last = seq;
  }
  return last;
}

function cursorOf(cursors: Cursors, key: ConversationKey): Cursors[string] | undefined {
  return cursors[splitKey(key).id];
}

/** The conversations that the client knows and the caller is no member of (any more). */
async function goneOf(cursors: Cursors, principal: Principal, { directory }: Services): Promise<string[]> {
  const ids = Object.keys(cursors);
  const keyOf = (id: string): ConversationKey => conversationKey(principal, id);
  const mine = await directory.memberships(ids.map(keyOf), principal.userId);
  return ids.filter((id) => !mine.has(keyOf(id)));
}
