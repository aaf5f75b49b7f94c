import { compareIds, idTimeMs, LIMITS, ProtocolError, type Cursor, type Entry, type EntryId } from '@parley/protocol';
import type { Membership } from '../../ports/directory/port.ts';
import type { LogRow } from '../../ports/message-log/port.ts';
import type { ConversationKey } from '../../runtime/keys.ts';
import type { Services } from '../../runtime/services.ts';
import { fitting, toEntry } from './entries.ts';
import type { Hole } from './holes.ts';

/** A stretch of the log after a cursor. */
export interface Stretch {
  /** Oldest first. */
  readonly entries: Entry[];
  /** Every number up to here is in the answer or below the cursor. */
  readonly completeToSeq: number;
  /** Whether rows beyond `entries` were seen. */
  readonly limited: boolean;
  /** The first numbers below the head that have no row yet: their senders may still be at work. */
  readonly hole?: Hole;
  /** Bytes of `entries` as JSON. */
  readonly bytes: number;
}

/**
 * Reads on from a cursor, at most `limit` entries and `maxBytes`. Goes on beyond a pending number, so that one lost sender never
 * hides what came after it.
 */
export async function readAfter(
  conversation: ConversationKey,
  { head, me }: Membership,
  asked: Cursor,
  { limit, maxBytes }: { readonly limit: number; readonly maxBytes: number },
  services: Services,
): Promise<Stretch> {
  const cursor = await fromJoining(conversation, me.joinedSeq, asked, services);
  const rows = await services.log.after(conversation, cursor.id, limit + 1);
  const { entries, bytes } = fitting(rows.slice(0, limit).map(toEntry), maxBytes, 1);
  const limited = entries.length < rows.length;
  let completeToSeq = cursor.seq;
  for (const { seq } of entries) {
    const atBeginning = completeToSeq === cursor.seq && cursor.seq === me.joinedSeq;
    if (seq > completeToSeq + 1 && !(atBeginning && mayHaveExpired(head, services))) break;
    completeToSeq = Math.max(completeToSeq, seq);
  }
  const beyond = entries.find(({ seq }) => seq > completeToSeq);
  const hole = beyond
    ? holeBetween(completeToSeq, beyond.seq, beyond.id)
    : limited
      ? undefined
      : holeBetween(completeToSeq, head.seq + 1, head.lastId);
  return { entries, completeToSeq, limited, bytes, ...(hole && { hole }) };
}

/** Ids rise with the numbers: whoever took one before `nextId` did so before its time. */
function holeBetween(seq: number, nextSeq: number, nextId: EntryId): Hole | undefined {
  if (nextSeq <= seq + 1) return undefined;
  return { firstSeq: seq + 1, lastSeq: nextSeq - 1, takenBeforeMs: idTimeMs(nextId) };
}

/** What was said before a member joined is not for that member: nothing is missing where it would stand. */
async function fromJoining(
  conversation: ConversationKey,
  joinedSeq: number,
  asked: Cursor,
  { directory }: Services,
): Promise<Cursor> {
  if (asked.seq >= joinedSeq) return asked;
  const id = await directory.idOf(conversation, joinedSeq);
  if (id === undefined) throw new Error('a number that was taken has no id');
  return { seq: joinedSeq, id };
}

/** From the very beginning the first numbers may be missing because they ended, which is no gap: nobody will ever see them. */
function mayHaveExpired({ createdAtMs }: Membership['head'], { now }: Services): boolean {
  return now() - createdAtMs >= LIMITS.entryTtlMs;
}

/** The rows that a member may see, of those before an id, newest first, at most `limit`; `more` when there are older ones. */
export async function readBefore(
  conversation: ConversationKey,
  { me }: Membership,
  before: EntryId | undefined,
  limit: number,
  { log }: Services,
): Promise<{ readonly rows: LogRow[]; readonly more: boolean }> {
  const found = await log.before(conversation, before, limit + 1);
  const seen = found.filter(({ seq }) => seq > me.joinedSeq);
  return { rows: seen.slice(0, limit), more: seen.length > limit };
}

/**
 * Refuses a cursor whose parts do not belong together: it would make a gap that nobody sees.
 * @throws {ProtocolError} INVALID_CURSOR, or CURSOR_EXPIRED when its entry is no longer kept.
 */
export async function checkCursor(
  conversation: ConversationKey,
  { head }: Membership,
  { seq, id }: Cursor,
  epoch: number | undefined,
  { log, directory, now }: Services,
): Promise<void> {
  if (epoch !== undefined && epoch !== head.epoch) throw new ProtocolError('INVALID_CURSOR', 'The log has begun anew.');
  if (seq === 0 && id === '0') return;
  const row = await log.get(conversation, id);
  if (row?.seq === seq) return;
  const isOwn = !row && compareIds(id, head.lastId) <= 0 && (await directory.idOf(conversation, seq)) === id;
  const isOld = isOwn && now() - head.createdAtMs >= LIMITS.entryTtlMs;
  throw new ProtocolError(isOld ? 'CURSOR_EXPIRED' : 'INVALID_CURSOR');
}
