import { createHash } from 'node:crypto';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { runNpm } from './child.mjs';
import { Failure } from './failure.mjs';

/** @typedef {'production' | 'full'} PackageSet what running needs, or what working on Parley needs. */

/** Says what is installed. It lies in node_modules, so it goes away with it. */
const STAMP = 'node_modules/.parley-install';

/**
 * Installs the packages when they are missing or belong to another lock file; else does nothing.
 *
 * @param {string} root
 * @param {PackageSet} set
 * @param {import('./progress.mjs').Progress} progress
 * @throws {Failure} with npm's own words
 */
export async function ensureInstalled(root, set, progress) {
  const wanted = stampOf(set, readFileSync(join(root, 'package-lock.json')));
  const stampFile = join(root, STAMP);
  if (satisfies(existsSync(stampFile) ? readFileSync(stampFile, 'utf8') : '', wanted)) return;

  rmSync(stampFile, { force: true });
  const args = ['ci', '--ignore-scripts', ...(set === 'production' ? ['--omit=dev'] : [])];
  await progress.during(`Installing the packages (npm ${args.join(' ')})`, async () => {
    const { code, output } = await runNpm(args, root);
    if (code !== 0) throw new Failure(advice(code, output));
  });
  writeFileSync(stampFile, wanted);
}

/**
 * What an installed set is known by. Some packages are binaries, so a folder that two systems share is not the same to both.
 *
 * @param {PackageSet} set
 * @param {string | Buffer} lockFile
 */
export function stampOf(set, lockFile) {
  const hash = createHash('sha256').update(lockFile).digest('hex');
  return `${set} ${process.platform}-${process.arch} ${hash}\n`;
}

/**
 * Whether what is installed serves what is wanted: the full set holds the production set.
 *
 * @param {string} installed the stamp found; empty when there is none
 * @param {string} wanted
 */
export function satisfies(installed, wanted) {
  return installed === wanted || installed === wanted.replace(/^production /, 'full ');
}

/**
 * @param {number} code
 * @param {string} output
 */
function advice(code, output) {
  return (
    `${output.trim()}\n\nnpm could not install the packages (exit code ${String(code)}); its words stand above.\n` +
    'Check the network and that nothing else is using node_modules, then run the same command again.'
  );
}
