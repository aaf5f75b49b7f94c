import { LIMITS, scanJson } from '@parley/protocol';
import fc from 'fast-check';

const nested = (depth: number): string => '['.repeat(depth) + ']'.repeat(depth);
const NO_FLAW = { prototypeKey: false };

describe('looking at the shape of a JSON text', () => {
  it.each([
    '{}',
    '[]',
    '""',
    '0',
    'null',
    ' { "a" : [ { "a" : 1 } , { "a" : 2 } ] , "b" : { "a" : { "a" : 3 } } } ',
    '{"a":"a","b":"a"}',
    '{"a":"\\"a\\":1,\\"a\\":2"}',
    '{"a":"{[","b":"]}"}',
    '["a","a"]',
    '{"a":"\\\\","b":"\\\\\\""}',
    '{"a":1,"A":2,"á":3,"a\u0301":4}',
  ])('finds no flaw in %s', (text) => {
    expect(() => JSON.parse(text) as unknown).not.toThrow();
    expect(scanJson(text)).toEqual(NO_FLAW);
  });

  it('allows the deepest nesting, and refuses one level more', () => {
    expect(LIMITS.depthMax).toBe(16);
    expect(scanJson(nested(16))).toEqual(NO_FLAW);
    expect(scanJson(nested(17)).flaw).toBe('too deep');
    expect(scanJson('{"a":'.repeat(16) + '1' + '}'.repeat(16)).flaw).toBeUndefined();
    expect(scanJson('{"a":'.repeat(17) + '1' + '}'.repeat(17)).flaw).toBe('too deep');
  });

  it('counts depth, not brackets: many shallow values are fine', () => {
    expect(scanJson(`[${'[],'.repeat(20_000)}{}]`)).toEqual(NO_FLAW);
  });

  it('refuses 60,000 nested arrays', () => {
    expect(scanJson(nested(60_000)).flaw).toBe('too deep');
  });

  it('allows the greatest number of keys over all objects, and refuses one more', () => {
    const objects = (count: number): string => `[${Array.from({ length: count }, () => '{"a":1}').join(',')}]`;
    expect(scanJson(objects(LIMITS.keysMax))).toEqual(NO_FLAW);
    expect(scanJson(objects(LIMITS.keysMax + 1)).flaw).toBe('too many keys');
  });

  it('allows the longest key, and refuses a longer one', () => {
    const key = (length: number): string => JSON.stringify({ ['k'.repeat(length)]: 1 });
    expect(scanJson(key(LIMITS.keyMaxChars))).toEqual(NO_FLAW);
    expect(scanJson(key(LIMITS.keyMaxChars + 1)).flaw).toBe('a key is too long');
    expect(scanJson(key(102_400)).flaw).toBe('a key is too long');
  });

  it('does not mistake a long value for a long key', () => {
    expect(scanJson(JSON.stringify({ a: 'v'.repeat(100_000) }))).toEqual(NO_FLAW);
  });

  it.each([
    ['plainly', '{"action":1,"action":2}'],
    ['with other keys between', '{"a":1,"b":{"c":2},"a":3}'],
    ['in an inner object', '{"x":[{"a":1,"a":1}]}'],
    ['once written with an escape', '{"action":1,"\\u0061ction":2}'],
    ['both written with escapes', '{"\\u0061":1,"\\u0061":2}'],
    ['with an escaped slash', '{"a/b":1,"a\\/b":2}'],
    ['as an escaped surrogate pair', '{"😀":1,"\\ud83d\\ude00":2}'],
    ['with white space around the colon', '{"a" \n:1,"a"\t:2}'],
    ['as the empty key', '{"":1,"":2}'],
    ['as a name of the prototype', '{"toString":1,"toString":2}'],
  ])('finds a key that stands twice, %s', (_, text) => {
    expect(() => JSON.parse(text) as unknown).not.toThrow();
    expect(scanJson(text).flaw).toBe('a key stands twice');
  });

  it.each(['{"__proto__":{}}', '{"a":[{"constructor":1}]}', '{"prototype":1}', '{"\\u005f_proto__":1}'])(
    'tells of the prototype key in %s',
    (text) => {
      expect(scanJson(text)).toEqual({ prototypeKey: true });
    },
  );

  it('does not take a value for a prototype key', () => {
    expect(scanJson('{"a":"__proto__","b":["constructor"]}')).toEqual(NO_FLAW);
  });

  const withinLimits = fc.object({ maxDepth: 6, maxKeys: 8, key: fc.string({ unit: 'binary', maxLength: 20 }) });

  it('finds no flaw in what JSON.stringify writes of a small object', () => {
    fc.assert(
      fc.property(withinLimits, fc.constantFrom(undefined, 1, '\t'), (value, space) => {
        expect(scanJson(JSON.stringify(value, null, space)).flaw).toBeUndefined();
      }),
    );
  });

  it('agrees with JSON.parse about keys: it finds one twice just when parsing loses one', () => {
    const key = fc.constantFrom('a', 'b', '\\u0061', 'a:', '\\"', '\\\\', '{', '');
    const text = fc.array(key, { maxLength: 5 }).map((keys) => ({
      keys,
      text: `{${keys.map((name) => `"${name}":"x"`).join(' , ')}}`,
    }));
    fc.assert(
      fc.property(text, ({ keys, text }) => {
        const kept = Object.keys(JSON.parse(text) as object).length;
        expect(scanJson(text).flaw === 'a key stands twice').toBe(kept < keys.length);
      }),
    );
  });
});
