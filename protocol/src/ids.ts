/** A 64-bit Snowflake as a canonical decimal string: it passes 2^53, so it is never a JavaScript number. `"0"` stands before all. */
export type EntryId = string;

const ENTRY_ID = /^(?:0|[1-9]\d{0,18})$/;
const ENTRY_ID_MAX = '9223372036854775807';

/** Whether `text` is a canonical decimal from 0 to 2^63 - 1. */
export function isEntryId(text: string): boolean {
  return ENTRY_ID.test(text) && compareIds(text, ENTRY_ID_MAX) <= 0;
}

/** Negative, 0 or positive as `a` stands before, at or after `b`. Both must be canonical. */
export function compareIds(a: EntryId, b: EntryId): number {
  if (a.length !== b.length) return a.length - b.length;
  return a < b ? -1 : a > b ? 1 : 0;
}

const RANDOM_BITS = 22n;

/** The instant that an id was made for, in ms since the Unix epoch. */
export function idTimeMs(id: EntryId): number {
  return Number(BigInt(id) >> RANDOM_BITS);
}

/** An id for the instant `nowMs`: `nowMs << 22 | random`. `random` is an integer from 0 to 2^22 - 1. */
export function makeId(nowMs: number, random: number): EntryId {
  return ((BigInt(nowMs) << RANDOM_BITS) | BigInt(random)).toString();
}
