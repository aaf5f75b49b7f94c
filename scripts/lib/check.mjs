import { exitCodeOf, runChild } from './child.mjs';
import { Failure } from './failure.mjs';
import { runTests, summaryLine } from './tests.mjs';

const TSX = ['--conditions=parley-source', '--import', 'tsx'];

/** In the order of how soon each answers. `advice` is what to do first when it fails. */
const STEPS = [
  {
    name: 'types',
    args: ['node_modules/typescript/bin/tsc', '-p', 'tsconfig.json'],
    advice: 'Correct the types named above.',
  },
  {
    name: 'arrows between folders',
    args: [...TSX, 'scripts/arrows.ts'],
    advice: 'docs/architecture.md says which folder may import which; move what is shared to where both may reach it.',
  },
  {
    name: 'generated documents',
    args: [...TSX, 'scripts/docs.ts', '--check'],
    advice: 'Run "npm run docs" and commit what it wrote.',
  },
  {
    name: 'format',
    args: ['node_modules/prettier/bin/prettier.cjs', '--check', '--log-level', 'warn', '.'],
    advice: 'Run "npm run format".',
  },
  {
    name: 'lint',
    args: ['node_modules/eslint/bin/eslint.js', '.'],
    advice: 'Correct the lines named above ("npx eslint --fix ." mends some).',
  },
];

/**
 * Everything that CI asks of a change. Stops at the first failure.
 *
 * @param {string} root
 * @param {import('./progress.mjs').Progress} progress
 * @returns {Promise<number>} the exit code
 * @throws {Failure} what failed and what to do
 */
export async function check(root, progress) {
  const startedAtMs = Date.now();
  for (const { name, args, advice } of STEPS) {
    const code = await timed(progress, name, async () =>
      exitCodeOf(await runChild(process.execPath, args, { cwd: root })),
    );
    if (code !== 0) throw new Failure(`Check failed: ${name}. ${advice}`);
  }
  const { code, counts } = await timed(progress, 'tests', () => runTests(root, []));
  progress.line(`All of it took ${seconds(startedAtMs)}.`);
  if (code !== 0) process.stderr.write('Check failed: tests. "npm test -- PATH" runs the tests of one file again.\n');
  if (counts) progress.line(`\n${summaryLine(counts)}`);
  return code;
}

/**
 * @template T
 * @param {import('./progress.mjs').Progress} progress
 * @param {string} name
 * @param {() => Promise<T>} work
 */
async function timed(progress, name, work) {
  const startedAtMs = Date.now();
  progress.line(`\n== ${name}`);
  const result = await work();
  progress.line(`-- ${name}: ${seconds(startedAtMs)}`);
  return result;
}

/** @param {number} sinceMs */
function seconds(sinceMs) {
  return `${((Date.now() - sinceMs) / 1_000).toFixed(1)} s`;
}
