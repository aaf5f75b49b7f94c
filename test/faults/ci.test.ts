import { describeWith } from '../require.ts';
import { CI_SLICE } from './faults/index.ts';
import { PLANTED } from './faults/planted.ts';
import { Lab } from './harness/lab.ts';
import { runFault } from './harness/run-fault.ts';

const START_MS = 180_000;
const FAULT_MS = 150_000;
/** What is broken on purpose does not become whole, however long it is waited for. */
const PLANTED_SETTLE_MS = 12_000;

describeWith('engines', 'promises under faults, on real engines', () => {
  let lab: Lab;

  beforeAll(async () => {
    lab = await Lab.open(process.cwd());
  }, START_MS);

  afterAll(() => lab.close(), START_MS);

  describe('are kept', () => {
    it.each(CI_SLICE.map((fault, i) => ({ ...fault, seed: i + 1 })))(
      '$id: $title',
      async ({ seed, ...fault }) => {
        const { findings, sends } = await runFault(fault, lab, seed);
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

    it.each(PLANTED.map((each, i) => ({ ...each, seed: i + 1 })))(
      '$plant: $finds finds it',
      async ({ plant, fault, finds, seed }) => {
        lab.plant = plant;
        lab.order({});
        const { findings } = await runFault(fault, lab, seed, PLANTED_SETTLE_MS);
        expect(findings.map(({ checker }) => checker)).toContain(finds);
      },
      FAULT_MS,
    );
  });
});
