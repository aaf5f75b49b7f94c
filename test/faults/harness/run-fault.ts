import type { Fault } from '../faults/fault.ts';
import type { Lab } from './lab.ts';
import { Random } from './random.ts';
import { Run, type RunResult } from './run.ts';

/** Runs one fault to its end, whatever happens in it. */
export async function runFault(fault: Fault, lab: Lab, seed: number, settleMs?: number): Promise<RunResult> {
  lab.lines.length = 0;
  const run = new Run(lab, new Random(seed), settleMs);
  try {
    await fault.run(run, lab);
  } catch (error) {
    run.expect(false, `the fault could not be run to its end: ${String(error)}`);
  }
  return run.finish();
}
