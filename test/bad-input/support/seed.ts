import * as fc from 'fast-check';

/** The seed of a run: `PARLEY_SEED`, or a new one. It is printed, so that a failure can be had again. */
export function announceSeed(what: string): number {
  const chosen = process.env['PARLEY_SEED'];
  const seed = chosen === undefined ? Math.trunc(Math.random() * 2 ** 31) : Number(chosen);
  process.stderr.write(`${what}: PARLEY_SEED=${seed}\n`);
  return seed;
}

/** What JSON can write and careless code trips over; as it stands in a text. */
export const EDGES: readonly string[] = [
  ...['null', 'true', '0', '-0', '1e400', '-1e400', '1.5', '9007199254740993', '18446744073709551616'],
  ...['""', '" 12 "', '"0x10"', '"1e3"', '"-1"', '"٣"', '"\\ud800"', '"\\udfff\\ud800"', '"\\u0000"', '"__proto__"'],
  ...['"toString"', '"../../x"', '"w2/g_1"', '"a\\u0301\\u0301\\u0301"', '"\\u202e"', `"${'x'.repeat(20_000)}"`],
  ...['[]', '{}', '[[[[]]]]', '[null]', '{"":{}}', '{"__proto__":{"admin":true}}', '{"constructor":{"prototype":1}}'],
  `${'['.repeat(60_000)}${']'.repeat(60_000)}`,
];

/** A change of one place of a JSON text that was good. */
export interface Mutation {
  readonly how: 'replace' | 'remove' | 'twice' | 'cut' | 'insert';
  readonly at: number;
  readonly edge: string;
}

export const mutations: fc.Arbitrary<Mutation[]> = fc.array(
  fc.record({
    how: fc.constantFrom('replace', 'replace', 'replace', 'remove', 'twice', 'cut', 'insert'),
    at: fc.nat(),
    edge: fc.constantFrom(...EDGES),
  }),
  { minLength: 1, maxLength: 3 },
);

/** The text after the changes. Knows the shape: most changes hit a whole value, and leave all else as it was. */
export function mutated(text: string, changes: readonly Mutation[]): string {
  return changes.reduce((now, { how, at, edge }) => {
    if (how === 'cut') return now.slice(0, at % (now.length + 1));
    if (how === 'insert') {
      const place = at % (now.length + 1);
      return now.slice(0, place) + edge.slice(0, 40) + now.slice(place);
    }
    const spans = valueSpans(now);
    const span = spans[at % Math.max(1, spans.length)];
    if (!span) return edge;
    const [start, end, memberStart] = span;
    if (how === 'replace' || memberStart === undefined) return now.slice(0, start) + edge + now.slice(end);
    if (how === 'twice') return `${now.slice(0, memberStart)}${now.slice(memberStart, end)},${now.slice(memberStart)}`;
    return (now.slice(0, memberStart) + now.slice(end)).replace(/([{[]),|,,|,([}\]])/, '$1$2');
  }, text);
}

/** Where the values of a JSON text stand, and where their members begin. None in a text that is no JSON any more. */
function valueSpans(text: string): (readonly [number, number, number?])[] {
  const pattern =
    /("(?:[^"\\]|\\.)*")\s*:\s*("(?:[^"\\]|\\.)*"|-?[\d.eE+]+|true|false|null|\[[^[\]{}]*\]|\{[^[\]{}]*\})/g;
  return [...text.slice(0, 20_000).matchAll(pattern)].map((match) => {
    const end = match.index + match[0].length;
    return [end - (match[2] ?? '').length, end, match.index] as const;
  });
}
