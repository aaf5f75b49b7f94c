import { isFresh, operationsOf } from '../history/questions.ts';
import type { Checker } from './finding.ts';

/** P9: a text that was answered after it was deleted, or after its time was over; a deleted one also where a device still shows it. */
export const resurrection: Checker = (history) => {
  const removed = new Map(
    operationsOf(history, 'remove', 'ok').map(({ value, atMs }) => [value.id, { ...value, atMs }]),
  );
  return operationsOf(history, 'read', 'ok').flatMap(({ process, value, atMs }) =>
    value.entries
      .filter(({ id, text }) => {
        const gone = removed.get(id);
        return gone && text !== undefined && atMs > gone.atMs && (isFresh(process) || gone.expiredSeq === undefined);
      })
      .map(({ id }) => ({ checker: 'resurrection', what: `${process} has the text of ${id}, which was removed` })),
  );
};
