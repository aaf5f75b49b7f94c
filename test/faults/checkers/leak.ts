import { finalReads, mayTell, operationsOf, userOf } from '../history/questions.ts';
import type { Operation } from '../history/history.ts';
import type { Checker, Finding } from './finding.ts';

/** What was on its way when somebody was removed may come for so long; entries are told apart by their numbers, and may not. */
const ON_ITS_WAY_MS = 5_000;

/** P8: an entry that came to somebody who was no member when it was numbered, or anything else of a conversation to one who is none. */
export const leak: Checker = (history) => {
  const may = mayTell(history);
  const findings: Finding[] = [];
  const say = (what: string): unknown => findings.push({ checker: 'leak', what });
  const look = (process: string, conversationId: string, { id, seq }: { id: string; seq: number }): void => {
    if (!may(userOf(process), conversationId, seq))
      say(`${process} was told ${id} (number ${seq}) of ${conversationId}`);
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
  const belongs = members(history);
  for (const { process, value, atMs } of operationsOf(history, 'receipt', 'ok')) {
    if (!belongs(userOf(process), value.conversationId, atMs))
      say(`${process} was told how far ${value.userId} is in ${value.conversationId}`);
  }
  for (const { process, value, atMs } of operationsOf(history, 'event', 'ok')) {
    const { type, conversationId, userId } = value;
    // That one was removed is told to the one who was.
    const isLeak =
      conversationId === undefined
        ? userId !== undefined && !belongs(userOf(process))
        : !belongs(userOf(process), conversationId, type === 'conversation' ? undefined : atMs);
    if (isLeak) say(`${process} was told ${type} of ${conversationId ?? userId ?? ''}`);
  }
  return findings;
};

/** Whether somebody is a member of the conversation, or of any; at that moment, or ever. */
function members(history: readonly Operation[]): (userId: string, conversationId?: string, atMs?: number) => boolean {
  const seats = new Map<string, number>();
  for (const { value, atMs } of operationsOf(history, 'member', 'ok')) {
    const untilMs = value.toSeq === undefined ? Infinity : atMs + ON_ITS_WAY_MS;
    seats.set(value.userId, Infinity);
    seats.set(`${value.userId} ${value.conversationId}`, untilMs);
  }
  return (userId, conversationId, atMs = 0) => {
    const untilMs = seats.get(conversationId === undefined ? userId : `${userId} ${conversationId}`);
    return untilMs !== undefined && atMs <= untilMs;
  };
}
