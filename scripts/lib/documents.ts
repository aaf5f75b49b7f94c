import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { drawFolders, readArrows } from './arrows.ts';
import { asyncApi } from './asyncapi.ts';
import { protocolParts } from './reference.ts';

export interface Document {
  /** Relative to the root. */
  readonly path: string;
  readonly text: string;
}

/** Every document that is generated, wholly or between its markers, as it should be now. */
export async function generateDocuments(root: string): Promise<Document[]> {
  const read = (path: string): Promise<string> => readFile(join(root, path), 'utf8');
  const { version } = JSON.parse(await read('package.json')) as { version: string };
  const pages = {
    'docs/protocol.md': protocolParts(await read('protocol/src/limits.ts')),
    'docs/architecture.md': { 'folder arrows': drawFolders(await readArrows(root)) },
  };
  return [
    ...(await Promise.all(
      Object.entries(pages).map(async ([path, parts]) => ({ path, text: fillIn(await read(path), parts) })),
    )),
    { path: 'docs/asyncapi.json', text: `${JSON.stringify(asyncApi(version), null, 2)}\n` },
  ];
}

/**
 * `page` with each part between `<!-- generated: NAME -->` and `<!-- end -->` written anew.
 *
 * @throws {Error} when a part has no place in the page, or a place has no part
 */
export function fillIn(page: string, parts: Readonly<Record<string, string>>): string {
  const unplaced = new Set(Object.keys(parts));
  const filled = page.replace(/<!-- generated: (.+?) -->[\s\S]*?<!-- end -->/g, (_, name: string) => {
    const part = parts[name];
    if (part === undefined) throw new Error(`Nothing is generated under the name "${name}".`);
    unplaced.delete(name);
    return `<!-- generated: ${name} -->\n\n${part}\n\n<!-- end -->`;
  });
  if (unplaced.size > 0) throw new Error(`The page has no place for: ${[...unplaced].join(', ')}.`);
  return filled;
}
