import { describeWith } from '../require.ts';
import { CI_SLICE } from './faults/index.ts';
import type { Fault } from './faults/fault.ts';
import { PLANTED, PLANTED_SETTLE_MS } from './faults/planted.ts';
import { Lab } from './harness/lab.ts';
import type { RunResult } from './harness/run.ts';
import { runFault } from './harness/run-fault.ts';

const START_MS = 180_000;
const FAULT_MS = 150_000;

describeWith('engines', 'promises under faults, on real engines', () => {
  let lab: Lab;
  /** How each fault ended without a bug, by its id. */
  const clean = new Map<string, RunResult>();

  beforeAll(async () => {
    lab = await Lab.open(process.cwd());
  }, START_MS);

  afterAll(() => lab.close(), START_MS);

  describe('are kept', () => {
    it.each(CI_SLICE)(
      '$id: $title',
      async (fault) => {
        const result = await runFault(fault, lab, seedOf(fault));
        clean.set(fault.id, result);
        const { findings, sends } = result;
        expect(findings).toEqual([]);
        expect(sends.ok + sends.unknown).toBeGreaterThan(0);
      },
      FAULT_MS,
    );
  });

  describe('are seen to be broken by code that', () => {
    afterEach(() => {
      lab.plant = undefined;
      lab.order({});
    });

    it.each(PLANTED)(
      '$plant: $finds finds it, and nothing without it',
      async ({ plant, fault, finds, settleMs = PLANTED_SETTLE_MS }) => {
        // One that became whole sooner was the control already: the same fault and seed, and nothing waited for longer.
        const before = clean.get(fault.id);
        if (before === undefined || before.settledMs > settleMs) {
          const control = await runFault(fault, lab, seedOf(fault), settleMs);
          expect(control.findings).toEqual([]);
        }
        lab.plant = plant;
        lab.order({});
        const { findings } = await runFault(fault, lab, seedOf(fault), settleMs);
        expect(findings.map(({ checker }) => checker)).toContain(finds);
      },
      2 * FAULT_MS,
    );
  });
});

/** A seed that stays. */
function seedOf({ id }: Fault): number {
  return CI_SLICE.findIndex((fault) => fault.id === id) + 1;
}
