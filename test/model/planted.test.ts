import fc from 'fast-check';
import { BUGS } from './bugs.ts';
import { deliveryHolds } from './property.ts';

/** Each bug below is found within these runs. */
const SAME_RUNS = { numRuns: 150, seed: 99, endOnFailure: true } as const;
const LIMIT_MS = 120_000;

describe('the property of delivery', () => {
  it(
    'holds for the server as it is, in the very runs that follow',
    async () => {
      expect((await fc.check(deliveryHolds(), SAME_RUNS)).failed).toBe(false);
    },
    LIMIT_MS,
  );

  it.each(Object.keys(BUGS))(
    'finds a server that %s',
    async (bug) => {
      const found = await fc.check(deliveryHolds(BUGS[bug]), SAME_RUNS);
      expect(found.failed).toBe(true);
      // A promise that was broken, not a test that broke.
      expect(String(found.errorInstance)).toMatch(/expect\(/);
    },
    LIMIT_MS,
  );
});
