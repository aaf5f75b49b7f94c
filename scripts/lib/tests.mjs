import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { exitCodeOf, runChild } from './child.mjs';

/** @typedef {{ passed: number, failed: number, skipped: number }} Counts */

/**
 * Runs jest on this terminal.
 *
 * @param {string} root
 * @param {string[]} args for jest
 * @returns {Promise<{ code: number, counts?: Counts }>} no counts when jest wrote none (it was interrupted, or only asked for its version)
 */
export async function runTests(root, args) {
  const folder = mkdtempSync(join(tmpdir(), 'parley-tests-'));
  const file = join(folder, 'results.json');
  try {
    const jest = ['node_modules/jest/bin/jest.js', '--json', `--outputFile=${file}`, ...args];
    const code = exitCodeOf(await runChild(process.execPath, jest, { cwd: root }));
    if (!existsSync(file)) return { code };
    const counts = countsOf(JSON.parse(readFileSync(file, 'utf8')));
    return { code: code === 0 && counts.failed > 0 ? 1 : code, counts };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/**
 * The sums of jest's results. A file that could not be run counts as one failure, since none of its tests shows up.
 *
 * @param {{ numPassedTests: number, numFailedTests: number, numPendingTests: number, numTodoTests: number, numRuntimeErrorTestSuites: number }} results
 * @returns {Counts}
 */
export function countsOf(results) {
  return {
    passed: results.numPassedTests,
    failed: results.numFailedTests + results.numRuntimeErrorTestSuites,
    skipped: results.numPendingTests + results.numTodoTests,
  };
}

/** @param {Counts} counts */
export function summaryLine({ passed, failed, skipped }) {
  const line = `${String(passed)} passed, ${String(failed)} failed`;
  return skipped > 0 ? `${line}, ${String(skipped)} skipped` : line;
}
