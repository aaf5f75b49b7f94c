import type { Operation } from '../history/history.ts';

/** A promise that was broken. */
export interface Finding {
  readonly checker: string;
  /** Who, which entry, what is wrong. */
  readonly what: string;
}

/** Looks at a whole history, and at nothing else. */
export type Checker = (history: readonly Operation[]) => Finding[];
