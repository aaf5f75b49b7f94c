import { buildAll, buildTypes } from './build.mjs';
import { check } from './check.mjs';
import { exitCodeOf, runChild } from './child.mjs';
import { Failure } from './failure.mjs';
import { ensureInstalled } from './install.mjs';
import { Progress } from './progress.mjs';
import { runTests, summaryLine } from './tests.mjs';

const USAGE = `Usage: node scripts/run.mjs COMMAND [arguments]

  start   build what is stale, then serve Parley on http://127.0.0.1:8787 (PORT chooses another)
  start:engines  the same, with the synthesized app on Cassandra, Kafka, Redis and DynamoDB Local (--watch, --verbose)
  engines        only those engines, for development
  test    run the tests; arguments go to jest
  check   lint, types, arrows, generated documents, tests: what CI runs
  bench   print the benchmark's tables
  faults  break engines, networks and functions, and check the promises (--seed N, --only R-06)
  docs    write the generated documents again
  build   build the packages to publish, with their types, and the web client
  doctor  look at a deployed stage: --stage NAME, see docs/doctor.md
  redrive hand what consumers gave up on to repair: --stage NAME, see docs/redrive.md
`;

/** TypeScript run as it stands, with our workspaces read from their sources. */
const TSX = ['--conditions=parley-source', '--import', 'tsx'];

/** @typedef {{ root: string, args: string[], progress: Progress }} Context */

/** @type {Record<string, { set: import('./install.mjs').PackageSet, run: (context: Context) => Promise<number> }>} */
const COMMANDS = {
  start: { set: 'production', run: (context) => start(context, 'local/main.ts') },
  'start:engines': { set: 'full', run: (context) => start(context, 'local/start-engines/main.ts') },
  engines: { set: 'full', run: ({ root, args }) => runTypeScript(root, 'local/engines/main.ts', args) },
  test: { set: 'full', run: test },
  check: { set: 'full', run: ({ root, progress }) => check(root, progress) },
  bench: { set: 'full', run: ({ root, args }) => runTypeScript(root, 'bench/main.ts', args) },
  faults: { set: 'full', run: ({ root, args }) => runTypeScript(root, 'test/faults/main.ts', args) },
  docs: { set: 'full', run: ({ root, args }) => runTypeScript(root, 'scripts/docs.ts', args) },
  build: { set: 'full', run: build },
  doctor: { set: 'full', run: ({ root, args }) => runTypeScript(root, 'scripts/doctor/main.ts', args) },
  redrive: { set: 'full', run: ({ root, args }) => runTypeScript(root, 'scripts/redrive/main.ts', args) },
};

/**
 * Runs one command to its end.
 *
 * @param {string} root of the repository
 * @param {string[]} argv the command's name and its arguments
 * @returns {Promise<number>} the exit code
 */
export async function main(root, argv) {
  const [name = '', ...args] = argv;
  const command = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
  if (!command) {
    process.stderr.write(name === '' ? USAGE : `There is no command "${name}".\n\n${USAGE}`);
    return 2;
  }
  const progress = new Progress(process.stdout);
  try {
    await ensureInstalled(root, command.set, progress);
    return await command.run({ root, args, progress });
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    process.stderr.write(`\n${error.message}\n`);
    return 1;
  }
}

/**
 * @param {Context} context
 * @param {string} file what serves Parley once everything is built
 */
async function start({ root, args, progress }, file) {
  // The ready line says how long everything took, this script included. Taken before the build, which sets variables of its own.
  const env = { ...process.env, PARLEY_STARTED_AT_MS: performance.timeOrigin.toFixed(0) };
  await buildAll(root, progress);
  return runTypeScript(root, file, args, env);
}

/** @param {Context} context */
async function build({ root, progress }) {
  await buildAll(root, progress);
  await buildTypes(root, progress);
  return 0;
}

/** @param {Context} context */
async function test({ root, args }) {
  const { code, counts } = await runTests(root, args);
  if (counts) process.stdout.write(`\n${summaryLine(counts)}\n`);
  return code;
}

/**
 * @param {string} root
 * @param {string} file
 * @param {string[]} args
 * @param {NodeJS.ProcessEnv} [env]
 */
async function runTypeScript(root, file, args, env = process.env) {
  return exitCodeOf(await runChild(process.execPath, [...TSX, file, ...args], { cwd: root, env }));
}
