import type { CheckerName } from '../checkers/index.ts';
import type { Fault } from '../faults/fault.ts';
import type { RunResult } from '../harness/run.ts';

export interface FaultRun {
  readonly fault: Fault;
  readonly result: RunResult;
}

/** What all faults together came to. */
export function totalsOf(runs: readonly FaultRun[]) {
  const count = (...names: readonly CheckerName[]): number =>
    runs
      .flatMap(({ result }) => result.findings)
      .filter(({ checker }) => (names as readonly string[]).includes(checker)).length;
  const heals = runs
    .flatMap(({ result }) => (result.healMs === undefined ? [] : [result.healMs]))
    .sort((a, b) => a - b);
  const sum = (of: (result: RunResult) => number): number => runs.reduce((total, { result }) => total + of(result), 0);
  return {
    kept: runs.filter(({ result }) => result.findings.length === 0).length,
    lost: count('lost', 'gap'),
    duplicate: count('duplicate'),
    reordered: count('order', 'divergence'),
    leaked: count('leak'),
    healP50Ms: heals[Math.floor(heals.length / 2)] ?? 0,
    healMaxMs: heals.at(-1) ?? 0,
    sends: {
      ok: sum(({ sends }) => sends.ok),
      unknown: sum(({ sends }) => sends.unknown),
      refused: sum(({ sends }) => sends.refused),
    },
  };
}
