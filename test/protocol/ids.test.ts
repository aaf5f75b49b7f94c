import fc from 'fast-check';
import { compareIds, idTimeMs, isEntryId, makeId } from '@parley/protocol';

describe('an entry id', () => {
  it.each(['0', '1', '10', '9223372036854775807', '9007199254740993'])('may be %s', (id) => {
    expect(isEntryId(id)).toBe(true);
  });

  it.each([
    '',
    '-1',
    '01',
    '00',
    '1.0',
    '1e3',
    ' 1',
    '1 ',
    '+1',
    '9223372036854775808',
    '10000000000000000000',
    '١',
    '1\n',
  ])('may not be %j', (id) => {
    expect(isEntryId(id)).toBe(false);
  });

  it('is compared as the number that it writes, beyond 2^53 too', () => {
    const id = fc.bigInt({ min: 0n, max: 2n ** 63n - 1n });
    fc.assert(
      fc.property(id, id, (a, b) => {
        expect(Math.sign(compareIds(String(a), String(b)))).toBe(a < b ? -1 : a > b ? 1 : 0);
      }),
    );
  });

  it('holds the instant that it was made for, whatever its random part', () => {
    const instant = fc.integer({ min: 0, max: 2 ** 41 - 1 });
    const random = fc.integer({ min: 0, max: 2 ** 22 - 1 });
    fc.assert(
      fc.property(instant, random, (nowMs, low) => {
        const id = makeId(nowMs, low);
        expect(isEntryId(id)).toBe(true);
        expect(idTimeMs(id)).toBe(nowMs);
      }),
    );
  });

  it('of a later instant stands after every id of an earlier one', () => {
    expect(compareIds(makeId(1_001, 0), makeId(1_000, 2 ** 22 - 1))).toBeGreaterThan(0);
  });
});
