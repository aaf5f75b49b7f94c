import { ACTION_NAMES, ACTIONS, ProtocolError, validateBody } from '@parley/protocol';
import { BODIES, refusal } from './valid-bodies.ts';

type Json = Record<string, unknown>;
const SECRET = 'hunter2-secret-value';

/** Every way to put `change` in place of one value inside `value`; it also gets the key that the value stands at. */
function variants(value: unknown, change: (inner: unknown, key: string) => unknown, at = ''): unknown[] {
  const here = [change(value, at)];
  if (typeof value !== 'object' || value === null) return here;
  const inside = Object.entries(value).flatMap(([key, inner]) =>
    variants(inner, change, key).map((changed) =>
      Array.isArray(value)
        ? value.map((old: unknown, i) => (String(i) === key ? changed : old))
        : { ...value, [key]: changed },
    ),
  );
  return [...here, ...inside];
}

/** Fields whose keys are ids: there an unknown key is one more id. */
const RECORDS = ['cursors', 'heads'];

const isObject = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const allFields = ACTION_NAMES.flatMap((action) =>
  Object.entries<{ readonly type: string }>(ACTIONS[action].body.entries).map(([field, schema]) => ({
    action,
    field,
    optional: schema.type === 'optional',
  })),
);

describe('the table of valid bodies', () => {
  it('covers every action and every field', () => {
    expect(Object.keys(BODIES).sort()).toEqual([...ACTION_NAMES].sort());
    for (const { action, field } of allFields)
      expect([action, Object.keys(BODIES[action].most)]).toEqual([action, expect.arrayContaining([field])]);
    expect(allFields.length).toBeGreaterThan(25);
  });
});

describe.each(ACTION_NAMES)('the body of %s', (action) => {
  const { least, most } = BODIES[action];

  it('is taken as it is, at its smallest and with every field', () => {
    expect(validateBody(action, least)).toEqual(least);
    expect(validateBody(action, most)).toEqual(most);
  });

  it('loses what nobody knows, at every level', () => {
    const extended = variants(most, (inner, key) =>
      isObject(inner) && !RECORDS.includes(key) ? { ...inner, zzz: SECRET } : inner,
    ).filter((body) => JSON.stringify(body).includes('zzz'));
    expect(extended.length).toBeGreaterThan(0);
    for (const body of extended) expect(validateBody(action, body)).toEqual(most);
  });

  it('must be an object', () => {
    for (const body of [null, 1, 'x', true]) expect(refusal(action, body).code).toBe('VALIDATION_FAILED');
  });

  it('that is refused is never repeated in the message', () => {
    const wrong = [SECRET, [SECRET], { [SECRET]: SECRET }, null, Infinity, -0, 1.5].flatMap((value) =>
      variants(most, () => value),
    );
    let refused = 0;
    for (const body of wrong) {
      try {
        validateBody(action, body);
      } catch (error) {
        if (!(error instanceof ProtocolError)) throw error;
        refused += 1;
        expect(['VALIDATION_FAILED', 'PAYLOAD_TOO_LARGE']).toContain(error.code);
        expect(JSON.stringify(error.toBody())).not.toContain('hunter2');
        expect(error.message).toMatch(/^[A-Za-z.*0-9]+ (is|must) /);
      }
    }
    expect(refused).toBeGreaterThan(0);
  });
});

describe('a body without a field that it needs', () => {
  const needed = allFields.filter(({ optional }) => !optional);

  it.each(needed)('is refused by name: $action without $field', ({ action, field }) => {
    const rest = Object.fromEntries(Object.entries(BODIES[action].most).filter(([name]) => name !== field));
    const error = refusal(action, rest);
    expect([error.code, error.message]).toEqual(['VALIDATION_FAILED', `${field} is missing.`]);
  });
});
