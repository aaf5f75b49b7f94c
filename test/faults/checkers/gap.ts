import { expiredNumbers, finalLogs, finalReads, isFresh, mayTell } from '../history/questions.ts';
import type { Checker, Finding } from './finding.ts';

/** P3 and P4: an entry that is in the log and that a member skips for ever; a number of which nobody knows what became of it. */
export const gap: Checker = (history) => {
  const findings: Finding[] = [];
  const say = (what: string): unknown => findings.push({ checker: 'gap', what });
  const logs = finalLogs(history);
  const may = mayTell(history);
  const expired = expiredNumbers(history);
  for (const { process, userId, conversationId, entries, headSeq } of finalReads(history)) {
    const has = new Set(entries.map(({ seq }) => seq));
    if (isFresh(process)) {
      for (let seq = 1; seq <= headSeq; seq++) {
        if (may(userId, conversationId, seq) && !has.has(seq) && !expired.has(`${conversationId} ${seq}`))
          say(`${process} is not told what number ${seq} is`);
      }
    }
    for (const { id, seq, kind } of logs.get(conversationId)?.values() ?? []) {
      if (kind === 'message' && may(userId, conversationId, seq) && !entries.some((entry) => entry.id === id))
        say(`${process} never gets ${id} (number ${seq})`);
    }
  }
  return findings;
};
