import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

const PAGES = [
  'README.md',
  'CONTRIBUTING.md',
  ...readdirSync('docs', { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.md'))
    .map((name) => join('docs', name)),
];

/** The links of a page that lead to a file that does not exist, or to a heading that its page does not have. */
function brokenLinks(page: string, text: string): string[] {
  const links = [...text.matchAll(/\]\((?!https?:)([^)#\s]*)(?:#([^)\s]*))?\)/g)];
  return links
    .filter(([, path = '', anchor]) => {
      const target = path === '' ? page : join(dirname(page), path);
      if (!existsSync(target)) return true;
      return anchor !== undefined && !anchorsOf(path === '' ? text : readFileSync(target, 'utf8')).has(anchor);
    })
    .map(([link]) => link);
}

/** Headings as code hosts turn them into anchors, and anchors that are written out. */
function anchorsOf(text: string): Set<string> {
  const slug = (heading: string): string =>
    heading
      .toLowerCase()
      .replace(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-');
  return new Set([
    ...[...text.matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) => slug(heading)),
    ...[...text.matchAll(/<a id="(.+?)">/g)].map(([, id = '']) => id),
  ]);
}

describe('the links of the documents', () => {
  it.each(PAGES)('lead somewhere in %s', (page) => {
    expect(brokenLinks(page, readFileSync(page, 'utf8'))).toEqual([]);
  });

  it('would be found when broken', () => {
    const text =
      '# A heading\n[ok](#a-heading) [ok](protocol.md#errors) [no](#b) [no](nowhere.md) [no](protocol.md#nowhere)';
    expect(brokenLinks('docs/architecture.md', text)).toEqual(['](#b)', '](nowhere.md)', '](protocol.md#nowhere)']);
  });
});
