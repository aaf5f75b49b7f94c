import { finalReads, operationsOf } from '../history/questions.ts';
import type { Checker, Finding } from './finding.ts';

/** P2 and P6: a key with more than one entry, an entry that a device shows twice, an answer that names another entry. */
export const duplicate: Checker = (history) => {
  const findings: Finding[] = [];
  const say = (what: string): unknown => findings.push({ checker: 'duplicate', what });
  const idsOf = new Map<string, Set<string>>();
  const note = (key: string | undefined, id: string | undefined): void => {
    if (key !== undefined && id !== undefined) idsOf.set(key, (idsOf.get(key) ?? new Set()).add(id));
  };
  const shown = new Set<string>();
  for (const { value } of operationsOf(history, 'send', 'ok')) note(value.key, value.id);
  for (const { value } of operationsOf(history, 'receive', 'ok')) note(value.key, value.id);
  for (const { process, value } of operationsOf(history, 'show', 'ok')) {
    note(value.key, value.id);
    const what = `${process} ${value.conversationId} ${value.id}`;
    if (shown.has(what)) say(`${process} showed ${value.id} twice`);
    shown.add(what);
  }
  for (const { process, entries } of finalReads(history)) {
    for (const { key, id } of entries) note(key, id);
    for (const [i, { id, seq }] of entries.entries()) {
      if (entries.findIndex((entry) => entry.id === id || entry.seq === seq) < i)
        say(`${process} has ${id} (number ${seq}) twice`);
    }
  }
  for (const [key, ids] of idsOf) if (ids.size > 1) say(`the key ${key} has the entries ${[...ids].join(', ')}`);
  return findings;
};
