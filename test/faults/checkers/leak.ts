import { finalReads, mayTell, operationsOf, userOf } from '../history/questions.ts';
import type { Checker, Finding } from './finding.ts';

/** P8: an entry that came to somebody who was no member when it was numbered. */
export const leak: Checker = (history) => {
  const may = mayTell(history);
  const findings: Finding[] = [];
  const look = (process: string, conversationId: string, { id, seq }: { id: string; seq: number }): void => {
    if (!may(userOf(process), conversationId, seq))
      findings.push({ checker: 'leak', what: `${process} was told ${id} (number ${seq}) of ${conversationId}` });
  };
  for (const { process, value } of [
    ...operationsOf(history, 'show', 'ok'),
    ...operationsOf(history, 'receive', 'ok'),
  ]) {
    look(process, value.conversationId, value);
  }
  for (const { process, conversationId, entries } of finalReads(history)) {
    for (const entry of entries) if (entry.kind !== 'void') look(process, conversationId, entry);
  }
  return findings;
};
