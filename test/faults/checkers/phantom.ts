import type { Seen } from '../history/history.ts';
import { finalLogs, finalReads, operationsOf } from '../history/questions.ts';
import type { Checker, Finding } from './finding.ts';

/** A message that nobody asked for, that was refused, that says something else than was asked, or that is told of and not in the log. */
export const phantom: Checker = (history) => {
  const asked = new Map(operationsOf(history, 'send', 'invoke').map(({ value }) => [value.key, value.text]));
  const maybe = new Set(operationsOf(history, 'send', 'ok', 'info').map(({ value }) => value.key));
  const refused = new Set(operationsOf(history, 'send', 'fail').map(({ value }) => value.key));
  const logs = finalLogs(history);
  const removed = new Set(operationsOf(history, 'remove', 'ok', 'info').map(({ value }) => value.id));
  const findings: Finding[] = [];
  const look = (process: string, conversationId: string, { id, kind, key = '', text }: Seen): void => {
    if (kind !== 'message') return;
    const say = (what: string): unknown => findings.push({ checker: 'phantom', what: `${process} got ${id}, ${what}` });
    if (!asked.has(key)) say(`which nobody sent (key ${key})`);
    else if (refused.has(key) && !maybe.has(key)) say(`which was refused (key ${key})`);
    else if (text !== undefined && text !== asked.get(key)) say(`which says something else than was sent`);
    const log = logs.get(conversationId);
    if (log && log.get(id)?.kind !== 'message' && !removed.has(id)) say(`which is not in the log (key ${key})`);
  };
  for (const { process, conversationId, entries } of finalReads(history)) {
    for (const entry of entries) look(process, conversationId, entry);
  }
  for (const { process, value } of [
    ...operationsOf(history, 'show', 'ok'),
    ...operationsOf(history, 'receive', 'ok'),
  ]) {
    look(process, value.conversationId, value);
  }
  return findings;
};
