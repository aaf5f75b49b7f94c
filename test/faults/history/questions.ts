import type { Function, Operation, Seen, Values } from './history.ts';

/** The operations of one function, of these outcomes. */
export function operationsOf<F extends Function>(
  history: readonly Operation[],
  f: F,
  ...types: readonly Operation['type'][]
): Operation<F>[] {
  return history.filter((operation) => operation.f === f && types.includes(operation.type)) as Operation<F>[];
}

export function userOf(process: string): string {
  return process.split('/')[0] ?? process;
}

/** Asks the server from nothing, and shows nothing to anybody. */
export function isFresh(process: string): boolean {
  return process.endsWith('/fresh');
}

export interface Read {
  readonly process: string;
  readonly userId: string;
  readonly conversationId: string;
  readonly entries: readonly Seen[];
  readonly headSeq: number;
}

/** The last read of every device in every conversation. */
export function finalReads(history: readonly Operation[]): Read[] {
  const last = new Map<string, Read>();
  for (const { process, value } of operationsOf(history, 'read', 'ok')) {
    last.set(`${process} ${value.conversationId}`, { process, userId: userOf(process), ...value });
  }
  return [...last.values()];
}

/** The log as the server tells it in the end: by conversation, every entry that any of its members can get, by id. */
export function finalLogs(history: readonly Operation[]): Map<string, Map<string, Seen>> {
  const logs = new Map<string, Map<string, Seen>>();
  for (const { process, conversationId, entries } of finalReads(history)) {
    if (!isFresh(process)) continue;
    const log = logs.get(conversationId) ?? new Map<string, Seen>();
    // What is withheld from one is void to that one alone.
    for (const entry of entries) if (entry.kind !== 'void' || !log.has(entry.id)) log.set(entry.id, entry);
    logs.set(conversationId, log);
  }
  return logs;
}

/** Whether a user may see the entry with this number, as far as the history tells; a later word replaces an earlier one. */
export function mayTell(
  history: readonly Operation[],
): (userId: string, conversationId: string, seq: number) => boolean {
  const seats = new Map<string, Values['member']>();
  for (const { value } of operationsOf(history, 'member', 'ok')) {
    seats.set(`${value.userId} ${value.conversationId}`, value);
  }
  return (userId, conversationId, seq) => {
    const seat = seats.get(`${userId} ${conversationId}`);
    return seat !== undefined && seq > seat.fromSeq && seq <= (seat.toSeq ?? Infinity);
  };
}

export interface Window {
  readonly name: string;
  readonly fromMs: number;
  readonly toMs: number;
}

/** When which fault held. One without an end holds for ever. */
export function faultWindows(history: readonly Operation[]): Window[] {
  const open = new Map<string, number>();
  const windows: Window[] = [];
  for (const { value, atMs } of operationsOf(history, 'fault', 'info')) {
    if (value.phase === 'begin') open.set(value.name, atMs);
    else {
      windows.push({ name: value.name, fromMs: open.get(value.name) ?? atMs, toMs: atMs });
      open.delete(value.name);
    }
  }
  return [...windows, ...[...open].map(([name, fromMs]) => ({ name, fromMs, toMs: Infinity }))];
}

/** Numbers whose time is over, as `{conversationId} {seq}`: whoever asks now is not told of them. */
export function expiredNumbers(history: readonly Operation[]): Set<string> {
  const removed = operationsOf(history, 'remove', 'ok').map(({ value }) => value);
  return new Set(removed.map(({ conversationId, expiredSeq }) => `${conversationId} ${expiredSeq ?? ''}`));
}
