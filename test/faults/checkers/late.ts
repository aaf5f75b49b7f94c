import { faultWindows, finalLogs, finalReads, isFresh, mayTell, operationsOf, userOf } from '../history/questions.ts';
import type { Operation, Seen } from '../history/history.ts';
import type { Checker, Finding } from './finding.ts';

export interface Delivery {
  readonly process: string;
  readonly conversationId: string;
  readonly entry: Seen;
  /** From when on the device could have had it: it is stored, no fault holds, the device is connected. */
  readonly dueMs: number;
  /** Whether a fault held between its being stored and its being got. */
  readonly troubled: boolean;
  /** Absent: never. */
  readonly gotAtMs?: number;
}

/** For every message of the log, when every device of a member had it. */
export function deliveries(history: readonly Operation[]): Delivery[] {
  const windows = faultWindows(history);
  const may = mayTell(history);
  const gone = new Set(
    operationsOf(history, 'member', 'ok').flatMap(({ value: { userId, conversationId, toSeq } }) =>
      toSeq === undefined ? [] : [`${userId} ${conversationId}`],
    ),
  );
  // Whoever was removed has no claim on what was on its way.
  const isGone = (userId: string, conversationId: string): boolean => gone.has(`${userId} ${conversationId}`);
  const got = firstTimes(history);
  const devices = new Map(operationsOf(history, 'online', 'ok').map(({ process, value }) => [process, value.syncs]));
  const asked = operationsOf(history, 'send', 'invoke');
  const sends = new Set(asked.map(({ process, value }) => `${process} ${value.key}`));
  const askedAtMs = new Map(asked.map(({ value, atMs }) => [value.key, atMs]));
  const storedAtMs = storedTimes(history);
  const reads = new Map(finalReads(history).map((read) => [`${read.process} ${read.conversationId}`, read.entries]));
  const found: Delivery[] = [];
  for (const [conversationId, log] of finalLogs(history)) {
    // A new device is answered the end of the log at once, and tells nobody that it shows it.
    const has = (process: string, id: string): boolean =>
      reads.get(`${process} ${conversationId}`)?.some((entry) => entry.id === id) === true;
    for (const entry of log.values()) {
      const stored = storedAtMs.get(entry.id);
      if (entry.kind !== 'message' || stored === undefined) continue;
      for (const [process, syncs] of devices) {
        if (
          isFresh(process) ||
          isGone(userOf(process), conversationId) ||
          !may(userOf(process), conversationId, entry.seq)
        )
          continue;
        const connected = connectedFrom(history, process, stored);
        const cameAfter = connected !== undefined && connected > stored;
        // A socket that opens while an entry is on its way is told of it by `session.start`, which no raw device asks.
        const openedAtMs = connectedFrom(history, process, 0);
        const missesIt = openedAtMs !== undefined && openedAtMs > (askedAtMs.get(entry.key ?? '') ?? stored);
        if (!syncs && (missesIt || sends.has(`${process} ${entry.key ?? ''}`))) continue;
        const gotAtMs =
          got.get(`${process} ${entry.id}`) ?? (cameAfter && has(process, entry.id) ? connected : undefined);
        if (connected === undefined && gotAtMs === undefined) continue;
        const until = gotAtMs ?? Infinity;
        const holding = windows.filter(({ fromMs, toMs }) => fromMs <= until && toMs >= stored);
        // A fault that still holds when the device gets it has not kept it.
        const healed = holding.map(({ toMs }) => toMs).filter((toMs) => toMs <= until);
        const dueMs = Math.max(stored, connected ?? stored, ...healed);
        found.push({
          process,
          conversationId,
          entry,
          dueMs,
          troubled: holding.length > 0 || cameAfter,
          ...(gotAtMs !== undefined && { gotAtMs }),
        });
      }
    }
  }
  return found;
}

/** P5: a device that has an entry later than `healthyMs` after it was stored, `healMs` after a fault has healed, or never. */
export function late({ healthyMs = 10_000, healMs = 60_000 } = {}): Checker {
  return (history) =>
    deliveries(history).flatMap(({ process, entry: { id, seq }, dueMs, gotAtMs, troubled }): Finding[] => {
      const afterMs = (gotAtMs ?? Infinity) - dueMs;
      if (afterMs <= (troubled ? healMs : healthyMs)) return [];
      const when = gotAtMs === undefined ? 'never' : `after ${(afterMs / 1_000).toFixed(1)} s`;
      return [{ checker: 'late', what: `${process} got ${id} (number ${seq}) ${when}` }];
    });
}

/** When each device got each entry first. */
function firstTimes(history: readonly Operation[]): Map<string, number> {
  const times = new Map<string, number>();
  for (const { process, value, atMs } of [
    ...operationsOf(history, 'show', 'ok'),
    ...operationsOf(history, 'receive', 'ok'),
  ]) {
    const key = `${process} ${value.id}`;
    times.set(key, Math.min(atMs, times.get(key) ?? Infinity));
  }
  return times;
}

/** When each entry was known to be stored: its sender was answered, or somebody had it. */
function storedTimes(history: readonly Operation[]): Map<string, number> {
  const times = new Map<string, number>();
  const note = (id: string | undefined, atMs: number): void => {
    if (id !== undefined) times.set(id, Math.min(atMs, times.get(id) ?? Infinity));
  };
  for (const { value, atMs } of operationsOf(history, 'send', 'ok')) note(value.id, atMs);
  for (const { value, atMs } of operationsOf(history, 'show', 'ok')) note(value.id, atMs);
  for (const { value, atMs } of operationsOf(history, 'receive', 'ok')) note(value.id, atMs);
  for (const { value, atMs } of operationsOf(history, 'read', 'ok')) for (const { id } of value.entries) note(id, atMs);
  return times;
}

/** The first moment from `fromMs` on from which the device stays connected. */
function connectedFrom(history: readonly Operation[], process: string, fromMs: number): number | undefined {
  const changes = operationsOf(history, 'online', 'ok').filter((operation) => operation.process === process);
  const last = changes.at(-1);
  if (last?.value.online !== true) return undefined;
  return Math.max(fromMs, last.atMs);
}
