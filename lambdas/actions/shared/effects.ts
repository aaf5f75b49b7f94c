import type { LogRow, Place } from '../../ports/message-log/port.ts';
import { forEachParallel } from '../../runtime/parallel.ts';
import type { Services } from '../../runtime/services.ts';
import { voidRow } from './void-row.ts';

const BLANKED_TOGETHER = 8;

/**
 * What an entry does to the message that it is about, before it stands in the log itself: so whoever finds the entry knows that it was done,
 * and whoever finds it half done does it again. Repeatable. False when there is no such message (any more): then an edit must not stand.
 * @throws {Unavailable} unknown how far it came; call again.
 */
export async function applyEffect(row: LogRow, services: Services): Promise<boolean> {
  const { conversation, id, seq, kind, targetId } = row;
  if (targetId === undefined) return true;
  if (kind === 'edit') return services.log.addEdit(conversation, targetId, { id, seq });
  const target = await services.log.blank(conversation, targetId);
  // From here on no edit is added: these are all.
  await forEachParallel(target?.edits ?? [], BLANKED_TOGETHER, (edit) => blankEdit(row, edit, services));
  return true;
}

/** An edit that is not there yet must not come any more: its place is taken, and a new one it does not get. */
async function blankEdit({ conversation }: LogRow, edit: Place, services: Services): Promise<void> {
  const { log } = services;
  if (await log.blank(conversation, edit.id)) return;
  const insertion = await log.insertIfAbsent(voidRow(conversation, edit, services));
  if (!insertion.applied) await log.blank(conversation, edit.id);
}
