import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { runQuiet } from './child.mjs';
import { Failure } from './failure.mjs';
import { hashSources } from './hash.mjs';

/** The hashes of the sources that the present builds were made from. */
const RECORD = '.parley/builds.json';

/** In the order in which they need each other. */
const LIBRARIES = ['protocol', 'client'];

/**
 * @typedef {object} Target
 * @property {string} name
 * @property {readonly string[]} sources
 * @property {string} output must exist, whatever the record says
 * @property {(root: string) => Promise<unknown>} build
 */

/** @type {readonly Target[]} */
const TARGETS = [
  {
    name: 'protocol and client',
    sources: ['protocol/src', 'protocol/package.json', 'client/src', 'client/package.json', 'package-lock.json'],
    output: 'client/dist/index.js',
    build: buildLibraries,
  },
  {
    name: 'web client',
    sources: ['protocol/src', 'client/src', 'web', 'package-lock.json'],
    output: 'web/dist/index.html',
    build: buildWeb,
  },
];

/**
 * Builds what its sources have outgrown.
 *
 * @param {string} root
 * @param {import('./progress.mjs').Progress} progress
 * @throws {Failure} naming the target, with the builder's words
 */
export async function buildAll(root, progress) {
  for (const target of TARGETS) {
    const hash = hashSources(root, target.sources);
    if (readRecord(root)[target.name] === hash && existsSync(join(root, target.output))) continue;
    await progress.during(`Building the ${target.name}`, async () => {
      try {
        await target.build(root);
      } catch (error) {
        throw new Failure(
          `The ${target.name} cannot be built.\n${error instanceof Error ? error.message : String(error)}`,
        );
      }
    });
    writeRecord(root, { ...readRecord(root), [target.name]: hash });
  }
}

/**
 * Makes `import … from '@parley/client'` work in plain Node.
 *
 * @param {string} root
 */
async function buildLibraries(root) {
  const { build } = await import('esbuild');
  for (const workspace of LIBRARIES) {
    rmSync(join(root, workspace, 'dist'), { recursive: true, force: true });
    await build({
      absWorkingDir: root,
      entryPoints: [`${workspace}/src/index.ts`],
      outfile: `${workspace}/dist/index.js`,
      bundle: true,
      packages: 'external',
      format: 'esm',
      platform: 'neutral',
      target: 'es2022',
      sourcemap: 'linked',
      logLevel: 'silent',
    });
  }
}

/**
 * Writes the declarations of the packages beside their code: what a TypeScript program outside the repository reads.
 *
 * @param {string} root
 * @param {import('./progress.mjs').Progress} progress
 * @throws {Failure} with the compiler's words
 */
export async function buildTypes(root, progress) {
  await progress.during('Writing the types of protocol and client', async () => {
    for (const workspace of LIBRARIES) {
      const args = ['node_modules/typescript/bin/tsc', '-p', `${workspace}/tsconfig.build.json`];
      const { code, output } = await runQuiet(process.execPath, args, root);
      if (code !== 0) throw new Failure(`The types of ${workspace} cannot be written.\n${output}`);
    }
  });
}

/** @param {string} root */
async function buildWeb(root) {
  const { build } = await import('vite');
  await build({ root: join(root, 'web'), logLevel: 'error' });
}

/**
 * @param {string} root
 * @returns {Record<string, string>}
 */
function readRecord(root) {
  const file = join(root, RECORD);
  return existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : {};
}

/**
 * @param {string} root
 * @param {Record<string, string>} record
 */
function writeRecord(root, record) {
  mkdirSync(join(root, '.parley'), { recursive: true });
  writeFileSync(join(root, RECORD), `${JSON.stringify(record, null, 2)}\n`);
}
