import type { Lab } from '../harness/lab.ts';
import type { Run } from '../harness/run.ts';

/** One kind of fault: what we believe, what is done, and what must hold. What every run checks in the end is not repeated here. */
export interface Fault {
  readonly id: `R-${string}`;
  readonly title: string;
  readonly hypothesis: string;
  readonly schedule: string;
  /** What it asserts beside the checkers. */
  readonly asserts: string;
  readonly run: (run: Run, lab: Lab) => Promise<void>;
}
