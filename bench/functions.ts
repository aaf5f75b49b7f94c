import { spawnSync } from 'node:child_process';
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { bundleFunctions } from '../lib/bundling/bundle.ts';
import type { Figure } from './figures.ts';

/** Budgets of docs/architecture.md. */
const BUDGETS: Readonly<Record<string, readonly [kilobytes: number, importMs: number]>> = {
  connect: [200, 60],
  heartbeat: [200, 60],
  send: [700, 200],
};
const RUNS = 5;

/** Size and import time of the bundles that have a budget. */
export async function functions(): Promise<Figure[]> {
  const outdir = join(process.cwd(), '.parley', 'bench-bundles');
  await bundleFunctions(process.cwd(), outdir);
  const empty = importMs('data:text/javascript,');
  return Object.entries(BUDGETS).flatMap(([name, [kilobytes, ms]]) => {
    const file = join(outdir, name, 'index.mjs');
    return [
      { name: `bundle of ${name}`, value: statSync(file).size / 1_000, unit: 'KB', goal: `≤ ${kilobytes} KB` },
      { name: `import of ${name}`, value: importMs(pathToFileURL(file).href) - empty, unit: 'ms', goal: `≤ ${ms} ms` },
    ];
  });
}

/** The best of a few fresh processes, with the ports loaded as Lambda does while an environment starts. */
function importMs(url: string): number {
  const program = `const t = performance.now(); await import(${JSON.stringify(url)}); console.log(performance.now() - t)`;
  const env = { ...process.env, AWS_LAMBDA_FUNCTION_NAME: 'bench', POWERTOOLS_LOG_LEVEL: 'SILENT' };
  const runs = Array.from({ length: RUNS }, () => {
    const { stdout } = spawnSync(process.execPath, ['--input-type=module', '-e', program], { encoding: 'utf8', env });
    return Number(stdout);
  });
  return Math.min(...runs);
}
