import { randomInt, randomUUID } from 'node:crypto';
import { LIMITS, makeId, ProtocolError } from '@parley/protocol';
import type { DedupeKey, DedupeRow, Intent, NumberRequest, NumberTaken } from '../../ports/directory/port.ts';
import type { LogRow } from '../../ports/message-log/port.ts';
import { Unavailable } from '../../ports/unavailable.ts';
import type { ConversationKey } from '../../runtime/keys.ts';
import type { Services } from '../../runtime/services.ts';
import { applyEffect } from './effects.ts';
import { member } from './membership.ts';
import { voidRow } from './void-row.ts';

/** Ids of senders whose clock is behind lie this much above the last one, at most. */
const STEP_MAX = 1_024;
const RANDOM_MAX = 2 ** 22;
const INSERT_ATTEMPTS_MAX = 3;

/** What is wanted of the next number. */
export function numberRequest(conversation: ConversationKey, rosterVersion: number, nowMs: number): NumberRequest {
  const id = makeId(nowMs, randomInt(RANDOM_MAX));
  return { conversation, id, step: randomInt(1, STEP_MAX), nonce: randomUUID(), rosterVersion };
}

/** Step 3. An answer that was lost is found again by the nonce; a number that cannot be found again stays pending, for `repair`. */
export async function takeNumber(
  conversation: ConversationKey,
  rosterVersion: number,
  { directory, now }: Services,
): Promise<NumberTaken> {
  const request = numberRequest(conversation, rosterVersion, now());
  try {
    return await directory.takeNumber(request);
  } catch (error) {
    if (!(error instanceof Unavailable)) throw error;
    const head = await directory.head(conversation);
    return head?.lastBy === request.nonce ? { taken: true, seq: head.seq, id: head.lastId } : { taken: false };
  }
}

/**
 * Step 5, for whoever wants the entry to stand, at any time and any number of times: carries out its effect, and inserts it at its place,
 * or finds there what an earlier attempt inserted. A void row there sends it to a new number.
 * @throws {ProtocolError} NOT_FOUND: what it is about is no message (any more), or the sender was removed; its number is void then.
 * @throws {Unavailable} unknown whether it stands; call again.
 */
export async function persist(key: DedupeKey, dedupe: DedupeRow, intent: Intent, services: Services): Promise<LogRow> {
  const { conversation } = key;
  let place = dedupe;
  for (let attempt = 0; attempt < LIMITS.appendAttemptsMax; attempt++) {
    const { id, seq, sentAtMs, expiresAtMs } = place;
    const row: LogRow = { conversation, id, seq, ...intent, sentAtMs, expiresAtMs };
    if (services.now() >= expiresAtMs) return row;
    const hasEffect = await applyEffect(row, services);
    const insertion = await insert(hasEffect ? row : voidRow(conversation, place, services), services);
    if (!insertion.applied && insertion.existing.kind !== 'void') return insertion.existing;
    if (!hasEffect) throw new ProtocolError('NOT_FOUND', 'targetId names no message of this conversation.');
    if (insertion.applied) return row;
    place = await moveOn(key, place, intent, services);
  }
  throw new Unavailable('every number became void');
}

/** Declares a number void that was taken and is not needed: nobody may wait for it. */
export async function giveUp(
  conversation: ConversationKey,
  number: Pick<DedupeRow, 'id' | 'seq'>,
  services: Services,
): Promise<void> {
  await insert(voidRow(conversation, number, services), services);
}

async function moveOn(key: DedupeKey, from: DedupeRow, { kind }: Intent, services: Services): Promise<DedupeRow> {
  const { directory } = services;
  // What people wrote is theirs to say only while they are members. Of the rest a part is done already: it must be finished.
  const isWritten = kind === 'message' || kind === 'edit';
  const head = isWritten
    ? member(await directory.membership(key.conversation, key.userId)).head
    : await directory.head(key.conversation);
  const taken = await takeNumber(key.conversation, head?.rosterVersion ?? 0, services);
  if (!taken.taken) return from;
  const own = { ...from, id: taken.id, seq: taken.seq };
  const standing = await directory.repoint(key, from.id, own);
  if (standing.id !== own.id) await giveUp(key.conversation, own, services);
  return standing;
}

/** After a time-out the same insert again: only the row that stands there tells what happened. */
async function insert(row: LogRow, { log }: Services): ReturnType<Services['log']['insertIfAbsent']> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await log.insertIfAbsent(row);
    } catch (error) {
      if (!(error instanceof Unavailable) || attempt >= INSERT_ATTEMPTS_MAX) throw error;
    }
  }
}
