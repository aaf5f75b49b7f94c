import type { CheckerName } from '../checkers/index.ts';
import type { PlantName } from '../bundle/plants.ts';
import type { Fault } from './fault.ts';
import { R02 } from './r-02.ts';
import { R06_TOLD } from './r-06.ts';
import { R07 } from './r-07.ts';
import { R08 } from './r-08.ts';
import { R16_REFUSED } from './r-16.ts';
import { R20 } from './r-20.ts';

/** What is broken on purpose does not become whole, however long it is waited for. */
export const PLANTED_SETTLE_MS = 12_000;

interface Planted {
  readonly plant: PlantName;
  readonly fault: Fault;
  readonly finds: CheckerName;
  /** How long what does not become whole is waited for; the same run without the bug becomes whole within it. */
  readonly settleMs?: number;
}

/** Under which fault each planted bug shows, and who finds it. */
export const PLANTED: readonly Planted[] = [
  { plant: 'skips the dedupe write', fault: R02, finds: 'duplicate' },
  { plant: 'acks before it persists', fault: R08, finds: 'lost' },
  { plant: 'publishes before it persists', fault: R16_REFUSED, finds: 'phantom' },
  { plant: 'removes whatever connection the user has', fault: R20, finds: 'late' },
  { plant: 'calls a number void by its age', fault: R06_TOLD, finds: 'gap' },
  // The stuck function is killed after 20 s, the outbox gathers for 30: the fault waits for so long, and so does the end.
  { plant: 'repairs nothing', fault: R07, finds: 'late', settleMs: 16_000 },
];
