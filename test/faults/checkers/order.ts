import type { Seen } from '../history/history.ts';
import { finalReads, operationsOf } from '../history/questions.ts';
import type { Checker, Finding } from './finding.ts';

/** P3: ids rise strictly with the numbers, and every device shows and reads in that order. */
export const order: Checker = (history) => {
  const findings: Finding[] = [];
  const look = (where: string, before: Seen, after: Seen): void => {
    if (after.seq > before.seq && BigInt(after.id) > BigInt(before.id)) return;
    findings.push({
      checker: 'order',
      what: `${where}: ${after.id} (number ${after.seq}) stands after ${before.id} (number ${before.seq})`,
    });
  };
  for (const { process, conversationId, entries } of finalReads(history)) {
    for (const [i, after] of entries.entries()) {
      const before = entries[i - 1];
      if (before) look(`${process} reads ${conversationId}`, before, after);
    }
  }
  const last = new Map<string, Seen>();
  for (const { process, value } of operationsOf(history, 'show', 'ok')) {
    const where = `${process} shows ${value.conversationId}`;
    const before = last.get(where);
    // What is shown again is for the checker of duplicates.
    if (before && before.id !== value.id) look(where, before, value);
    last.set(where, value);
  }
  return findings;
};
