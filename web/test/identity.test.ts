import { USER_ID, displayName } from '@parley/protocol';
import * as fc from 'fast-check';
import * as v from 'valibot';
import { cleanName, initialsOf, userIdOf } from '../src/model/identity.ts';

describe('the user id of a name', () => {
  it.each([
    ['Ana', 'ana'],
    ['Ana Lopez', 'ana-lopez'],
    ['Cléo', 'cleo'],
    ["Finn O'Briain", 'finn-o-briain'],
  ])('spells %s as %s', (name, userId) => {
    expect(userIdOf(name)).toBe(userId);
  });

  it('keeps names apart that Latin letters cannot spell, and stays the same', () => {
    const ids = ['佐藤', '鈴木', 'ليلى', '🙂', '🙃', 'Anaж', 'Anaш'].map(userIdOf);
    expect(new Set(ids).size).toBe(ids.length);
    expect(userIdOf('佐藤')).toBe(ids[0]);
    expect(ids[0]).toMatch(/^user-[a-z0-9]+$/);
    expect(ids[5]).toMatch(/^ana-[a-z0-9]+$/);
  });

  it('keeps names apart that differ after the part that is spelled', () => {
    const long = 'a'.repeat(60);
    expect(userIdOf(`${long}1`)).not.toBe(userIdOf(`${long}2`));
  });
});

it('makes of whatever is typed a name and an id that the server accepts, or nothing', () => {
  let accepted = 0;
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 100 }), (typed) => {
      const name = cleanName(typed);
      if (name === '') return;
      accepted += 1;
      expect(v.is(displayName, name)).toBe(true);
      expect(userIdOf(name)).toMatch(USER_ID);
      expect(userIdOf(name)).toMatch(/^[a-z0-9-]+$/);
    }),
  );
  expect(accepted).toBeGreaterThan(50);
});

it('takes controls, direction marks and outer spaces out of a name', () => {
  expect(cleanName('  Ana\n \t Maria\u202e\u0007 ')).toBe('Ana Maria');
  expect(cleanName(' \u200e\n')).toBe('');
});

it.each([
  ['Ana', 'A'],
  ['Ana Maria Lopez', 'AL'],
  ['finn o-briain', 'FB'],
  ['👩‍👧 x', '👩‍👧X'],
  ['', '?'],
])('shortens %j to %s', (name, initials) => {
  expect(initialsOf(name)).toBe(initials);
});
