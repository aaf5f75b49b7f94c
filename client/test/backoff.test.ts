import fc from 'fast-check';
import { fullJitter } from '../src/backoff.ts';

describe('the wait before the next attempt', () => {
  it('lies between 0 and the doubled minimum, and never beyond the cap', () => {
    fc.assert(
      fc.property(
        fc.nat(200),
        fc.integer({ min: 1, max: 10_000 }),
        fc.integer({ min: 1, max: 100_000 }),
        fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
        (failures, minMs, maxMs, chance) => {
          const waitMs = fullJitter(failures, minMs, maxMs, () => chance);
          expect(waitMs).toBeGreaterThanOrEqual(0);
          expect(waitMs).toBeLessThanOrEqual(Math.min(maxMs, minMs * 2 ** failures));
        },
      ),
    );
  });

  it('uses the whole span, so that clients which lost their sockets together spread out', () => {
    expect(fullJitter(3, 250, 30_000, () => 0)).toBe(0);
    expect(fullJitter(3, 250, 30_000, () => 0.5)).toBe(1_000);
    expect(fullJitter(20, 250, 30_000, () => 0.999)).toBeCloseTo(29_970);
  });
});
