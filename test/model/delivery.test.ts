import fc from 'fast-check';
import { deliveryHolds } from './property.ts';

/** Some seconds on a small machine. `PARLEY_PROPERTY_RUNS=10` makes ten times as many. */
const RUNS = 120;

it('delivers whatever people do and whatever fails', async () => {
  const numRuns = RUNS * Number(process.env['PARLEY_PROPERTY_RUNS'] ?? 1);
  const seen = { messages: 0, voids: 0, open: 0, unanswered: 0 };
  // A failure prints the seed and the shortest commands that lead to it.
  await fc.assert(deliveryHolds(undefined, seen), { numRuns });
  // The runs came across everything that they are for.
  expect(seen.messages).toBeGreaterThan(numRuns);
  expect(seen.voids).toBeGreaterThan(0);
  expect(seen.open).toBeGreaterThan(0);
  expect(seen.unanswered).toBeGreaterThan(0);
}, 3_600_000);
