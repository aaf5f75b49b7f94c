import { Parser } from '@asyncapi/parser';
import { ACTION_NAMES, ACTIONS, ERRORS, EVENTS, LIMITS } from '@parley/protocol';
import { readFileSync } from 'node:fs';
import { asyncApi } from '../../scripts/lib/asyncapi.ts';
import { fillIn, generateDocuments, type Document } from '../../scripts/lib/documents.ts';
import { protocolParts } from '../../scripts/lib/reference.ts';

const read = (path: string): string => readFileSync(path, 'utf8');

describe('the generated documents', () => {
  const TIMEOUT_MS = 60_000;
  let documents: Document[];
  beforeAll(async () => {
    documents = await generateDocuments(process.cwd());
  }, TIMEOUT_MS);

  it.each(['docs/protocol.md', 'docs/architecture.md', 'docs/asyncapi.json'])(
    'leave %s as it is (else: npm run docs)',
    (path) => {
      expect(documents.find((document) => document.path === path)?.text).toBe(read(path));
    },
  );
});

describe('filling in a page', () => {
  const page = 'before\n<!-- generated: a -->\nold\n<!-- end -->\nafter\n';

  it('replaces what stands between the markers, and nothing else', () => {
    const filled = fillIn(page, { a: 'new' });
    expect(filled).toBe('before\n<!-- generated: a -->\n\nnew\n\n<!-- end -->\nafter\n');
    expect(fillIn(filled, { a: 'new' })).toBe(filled);
  });

  it('keeps signs that a replacement could take for commands', () => {
    expect(fillIn(page, { a: "$& $1 $'" })).toContain("\n$& $1 $'\n");
  });

  it('refuses a part without a place, and a place without a part', () => {
    expect(() => fillIn(page, { a: '', b: '' })).toThrow('b');
    expect(() => fillIn(page, {})).toThrow('"a"');
  });
});

describe('the reference', () => {
  const parts = protocolParts(read('protocol/src/limits.ts'));
  const rowsOf = (part: string | undefined): string[] =>
    (part ?? '').split('\n').filter((line) => line.startsWith('| `') || line.startsWith('| [`'));

  it('has a row for every action, event, error and limit', () => {
    expect(rowsOf(parts['actions overview'])).toHaveLength(ACTION_NAMES.length);
    expect(rowsOf(parts['events'])).toHaveLength(Object.keys(EVENTS).length);
    expect(rowsOf(parts['errors'])).toHaveLength(Object.keys(ERRORS).length);
    expect(rowsOf(parts['limits'])).toHaveLength(Object.keys(LIMITS).length);
  });

  it.each(Object.entries(LIMITS))('prints the value of %s', (name, value) => {
    expect(parts['limits']).toContain(`| \`${name}\` | ${value.toLocaleString('en-US')} |`);
  });

  it.each(ACTION_NAMES)('describes %s with its summary, function and every field', (name) => {
    const section = parts['actions in full']?.split('### ').find((text) => text.startsWith(`\`${name}\``)) ?? '';
    expect(section).toContain(ACTIONS[name].summary);
    for (const field of Object.keys(ACTIONS[name].body.entries))
      expect(section).toMatch(new RegExp(`\\| body \\| \`${field}\\??\` \\|`));
    for (const field of Object.keys(ACTIONS[name].reply.entries))
      expect(section).toMatch(new RegExp(`\\| reply \\| \`${field}\\??\` \\|`));
  });
});

/** As the parser numbers how serious a finding is. */
const ERROR = 0;

describe('docs/asyncapi.json', () => {
  const document = asyncApi('1.2.3');

  it('is accepted by the AsyncAPI parser without an error, and holds an operation for every action and one for the events', async () => {
    const { document: parsed, diagnostics } = await new Parser().parse(JSON.stringify(document));
    expect(diagnostics.filter(({ severity }) => (severity as number) === ERROR)).toEqual([]);
    expect(parsed?.operations().all()).toHaveLength(ACTION_NAMES.length + 1);
    expect(parsed?.info().version()).toBe('1.2.3');
    const withReply = parsed
      ?.operations()
      .all()
      .filter((operation) => operation.reply() !== undefined);
    expect(withReply).toHaveLength(ACTION_NAMES.length);
  });

  it('is refused by the same parser when a reference leads nowhere', async () => {
    const broken = JSON.stringify(document).replaceAll('#/components/schemas/Cursor', '#/components/schemas/Nowhere');
    const { diagnostics } = await new Parser().parse(broken);
    expect(diagnostics.some(({ severity }) => (severity as number) === ERROR)).toBe(true);
  });

  it('names every event and every error code', () => {
    const text = JSON.stringify(document.components.schemas);
    for (const type of Object.keys(EVENTS)) expect(text).toContain(`"type":{"const":"${type}"}`);
    for (const code of Object.keys(ERRORS)) expect(text).toContain(`"${code}"`);
  });
});
