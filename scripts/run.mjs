/** The one entry of every command: `node scripts/run.mjs start|test|check|bench|faults|docs [args]`. Runs before anything is installed. */
import { readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { nodeProblem } from './lib/node-version.mjs';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const { engines } = JSON.parse(readFileSync(`${root}/package.json`, 'utf8'));

const problem = nodeProblem(process.versions.node, engines.node);
if (problem) {
  process.stderr.write(`${problem}\n`);
  process.exitCode = 1;
} else {
  // Only now: these files may use what an older Node cannot read.
  const { main } = await import('./lib/main.mjs');
  process.exitCode = await main(root, process.argv.slice(2));
}
