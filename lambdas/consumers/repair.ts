import { setTimeout as sleep } from 'node:timers/promises';
import { LIMITS } from '@parley/protocol';
import { announceAgain, publishedMark } from '../actions/shared/announce.ts';
import { persist } from '../actions/shared/persist.ts';
import { voidRow } from '../actions/shared/void-row.ts';
import type { Outboxed } from '../ports/directory/outbox.ts';
import type { LogRow } from '../ports/message-log/port.ts';
import type { RepairRequest } from '../ports/repairs/port.ts';
import { Unavailable } from '../ports/unavailable.ts';
import { bestEffort } from '../runtime/best-effort.ts';
import { logger } from '../runtime/logger.ts';
import { forEachParallel } from '../runtime/parallel.ts';
import type { Services } from '../runtime/services.ts';

/** A number that somebody took, and where its row must stand. */
type Taken = Pick<Outboxed, 'conversation' | 'id' | 'seq'>;

const IN_FLIGHT_MAX = 32;

/**
 * Sees to it that every number of the outbox ends as an entry that was published, or as void. What is published already costs one look at
 * the mark. A number without a row is waited for until `voidAfterMs`: its sender may be at work. Answers the records that must come again.
 * @param wait for tests, whose clocks are their own
 */
export async function repairOutbox(
  numbers: readonly Outboxed[],
  services: Services,
  wait: (ms: number) => Promise<unknown> = sleep,
): Promise<string[]> {
  const failed: string[] = [];
  const pending: Outboxed[] = [];
  const each = (work: (number: Outboxed) => Promise<void>) => async (number: Outboxed) => {
    try {
      await work(number);
    } catch (error) {
      if (!(error instanceof Unavailable)) throw error;
      failed.push(number.recordId);
    }
  };
  await forEachParallel(
    numbers,
    IN_FLIGHT_MAX,
    each(async (number) => {
      if (number.row) return finish(number, number.row, services);
      if (await isPublished(number, services)) return;
      const row = await services.log.get(number.conversation, number.id);
      if (row) await settle(row, services);
      else pending.push(number);
    }),
  );
  if (pending.length === 0) return failed;
  const youngest = Math.max(...pending.map(({ writtenAtMs }) => writtenAtMs));
  await wait(Math.min(LIMITS.voidAfterMs, Math.max(0, youngest + LIMITS.voidAfterMs - services.now())));
  await forEachParallel(
    pending,
    IN_FLIGHT_MAX,
    each((number) => close(number, services)),
  );
  return failed;
}

/**
 * Closes numbers by the ids that the head keeps for them: for holes that nothing else tells of, since their senders died before they reserved
 * anything, and for entries whose records were lost.
 */
export async function repairNumbers(
  { conversation, seqs, republish = false }: RepairRequest,
  services: Services,
): Promise<void> {
  await forEachParallel(seqs.slice(0, LIMITS.repairNumbersMax), IN_FLIGHT_MAX, async (seq) => {
    const id = await services.directory.idOf(conversation, seq);
    if (id === undefined) return;
    const number = { conversation, id, seq };
    if (republish || !(await isPublished(number, services))) await close(number, services);
  });
}

/** Of which all is known but the place: what its sender had begun is done, whoever has called its number void meanwhile. */
async function finish(
  number: Outboxed,
  { intent, ...dedupe }: NonNullable<Outboxed['row']>,
  services: Services,
): Promise<void> {
  const { conversation, id } = number;
  const { senderId: userId, clientMessageId: clientKey } = intent;
  if (userId === undefined || clientKey === undefined) throw new Error('an intent lacks its sender or its key');
  if (await isPublished(number, services)) {
    const row = await services.log.get(conversation, id);
    if (row && row.kind !== 'void') return;
  }
  await settle(await persist({ conversation, userId, clientKey }, { ...dedupe, intent }, intent, services), services);
}

/** Without the marks everything counts as unpublished: clients drop what they have. */
function isPublished({ conversation, seq }: Taken, { presence }: Services): Promise<boolean> {
  return bestEffort('published mark', false, () => presence.isMarked(publishedMark(conversation, seq)));
}

/** Only the row that stands at the id decides. A sender who comes late finds the void row, and takes a new number. */
async function close({ conversation, id, seq }: Taken, services: Services): Promise<void> {
  const hole = voidRow(conversation, { id, seq }, services);
  const insertion = await services.log.insertIfAbsent(hole);
  if (insertion.applied) logger.warn('a number became void', { conversation, id, seq });
  await settle(insertion.applied ? hole : insertion.existing, services);
}

async function settle(row: LogRow, services: Services): Promise<void> {
  if (services.now() >= row.expiresAtMs) return;
  const { conversation, id, seq, kind } = row;
  if (kind !== 'void') logger.warn('an entry was stored and not published', { conversation, id, seq });
  await announceAgain(row, services);
}
