import { appendFileSync, cpSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { FunctionDefinition } from '../../local/assembly/functions.ts';
import { watchBundles } from '../../local/start-engines/watch.ts';
import { makeFolder, makeFunction, removeFolders, until } from './fixtures.ts';

const COPIED = ['bin', 'lib', 'lambdas', 'protocol', 'package.json', 'tsconfig.json'];
const BUILT_MS = 30_000;

jest.setTimeout(60_000);

afterAll(removeFolders);

describe('start:engines -- --watch', () => {
  it('bundles again what a change concerns, swaps it, says how long it took, and survives what does not build', async () => {
    const root = makeFolder();
    for (const name of COPIED) cpSync(name, join(root, name), { recursive: true });
    symlinkSync(join(process.cwd(), 'node_modules'), join(root, 'node_modules'));
    const outdir = join(root, 'bundles');
    mkdirSync(outdir);
    const functions = ['heartbeat', 'send'].map((name) => makeFunction(`parley-small-${name}`, ''));
    const swapped: FunctionDefinition[] = [];
    const said: string[] = [];
    const watching = watchBundles({
      root,
      outdir,
      functions,
      replace: (changed) => swapped.push(...changed),
      log: (line) => said.push(line),
    });
    try {
      await watching.ready;
      const file = join(root, 'lambdas', 'heartbeat.ts');
      const before = readFileSync(file, 'utf8');
      appendFileSync(file, "\nprocess.title = 'changed on purpose';\n");
      await until(() => swapped.length > 0, 'the change is swapped in', BUILT_MS);
      expect(swapped.map(({ name }) => name)).toEqual(['parley-small-heartbeat']);
      expect(readFileSync(join(swapped[0]?.codeDir ?? '', 'index.mjs'), 'utf8')).toContain('changed on purpose');
      expect(said).toEqual([expect.stringMatching(/^Swapped in \d+ ms: parley-small-heartbeat$/)]);

      writeFileSync(file, `${before}\n}`);
      await until(() => said.length > 1, 'the mistake is told of', BUILT_MS);
      expect(said[1]).toContain('lambdas/heartbeat.ts');
      writeFileSync(file, before);
      await until(() => swapped.length > 1, 'the old code is back', BUILT_MS);
      expect(readFileSync(join(swapped[1]?.codeDir ?? '', 'index.mjs'), 'utf8')).not.toContain('changed on purpose');
    } finally {
      watching.close();
    }
  });
});
