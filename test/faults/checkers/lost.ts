import { expiredNumbers, finalReads, mayTell, operationsOf } from '../history/questions.ts';
import type { Checker } from './finding.ts';

/** P1: a send that was answered, and that a member does not have in the end. */
export const lost: Checker = (history) => {
  const reads = finalReads(history);
  const may = mayTell(history);
  const expired = expiredNumbers(history);
  return operationsOf(history, 'send', 'ok').flatMap(({ value: { conversationId, key, id = '', seq = 0 } }) => {
    if (expired.has(`${conversationId} ${seq}`)) return [];
    const readers = reads.filter((read) => read.conversationId === conversationId);
    const without = readers.filter(
      ({ userId, entries }) => may(userId, conversationId, seq) && !entries.some((entry) => entry.id === id),
    );
    const who = readers.length === 0 ? ['anybody'] : without.map(({ process }) => process);
    return who.map((process) => ({
      checker: 'lost',
      what: `${process} has not ${key} (${id}, number ${seq}), which was answered`,
    }));
  });
};
