import { operationsOf } from '../history/questions.ts';
import type { Checker } from './finding.ts';

/** P9: a text that was answered after it was deleted, or after its time was over. */
export const resurrection: Checker = (history) => {
  const removedAtMs = new Map(operationsOf(history, 'remove', 'ok').map(({ value, atMs }) => [value.id, atMs]));
  return operationsOf(history, 'read', 'ok').flatMap(({ process, value, atMs }) =>
    value.entries
      .filter(({ id, text }) => text !== undefined && atMs > (removedAtMs.get(id) ?? Infinity))
      .map(({ id }) => ({
        checker: 'resurrection',
        what: `${process} was answered the text of ${id}, which was removed`,
      })),
  );
};
