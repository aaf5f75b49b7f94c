import { spawnSync } from 'node:child_process';
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { ENV } from '../lambdas/runtime/env.ts';
import { bundleFunctions } from '../lib/bundling/bundle.ts';
import type { Figure } from './figures.ts';

interface Budget {
  readonly kilobytes: number;
  readonly importMs: number;
  /** What is loaded before the first event; the rest of the bundle when it is needed. */
  readonly startsWith: readonly string[];
}

/** Budgets of docs/architecture.md. */
export const BUDGETS = {
  connect: { kilobytes: 200, importMs: 60, startsWith: ['index.mjs'] },
  heartbeat: { kilobytes: 200, importMs: 60, startsWith: ['index.mjs'] },
  send: { kilobytes: 700, importMs: 200, startsWith: ['index.mjs', 'kafka.mjs'] },
} as const satisfies Readonly<Record<string, Budget>>;

const RUNS = 5;

/** Size and start of the bundles that have a budget. */
export async function functions(): Promise<Figure[]> {
  const outdir = join(process.cwd(), '.parley', 'bench-bundles');
  const { folderOf } = await bundleFunctions(process.cwd(), outdir);
  const kilobytes = (name: keyof typeof BUDGETS, file: string) => statSync(join(folderOf(name), file)).size / 1_000;
  const emptyMs = startMs('data:text/javascript,export const handler = async () => {};');
  const figures = Object.entries(BUDGETS).flatMap(([key, budget]): Figure[] => {
    const name = key as keyof typeof BUDGETS;
    const size = budget.startsWith.reduce((sum, file) => sum + kilobytes(name, file), 0);
    const ms = startMs(pathToFileURL(join(folderOf(name), 'index.mjs')).href) - emptyMs;
    return [
      { name: `bundle of ${name}, loaded at a start`, value: size, unit: 'KB', goal: `≤ ${budget.kilobytes} KB` },
      { name: `import of ${name}, its ports included`, value: ms, unit: 'ms', goal: `≤ ${budget.importMs} ms` },
    ];
  });
  const later = {
    name: 'bundle of heartbeat, with its first signal',
    value: kilobytes('heartbeat', 'kafka.mjs'),
    unit: 'KB',
  };
  return [...figures, later];
}

/** Until a first event is answered, which holds no frame and reaches no store: the best of a few fresh processes. */
function startMs(url: string): number {
  const program = `const t = performance.now(); const { handler } = await import(${JSON.stringify(url)}); await handler({}); console.log(performance.now() - t)`;
  const variables = Object.fromEntries(Object.values(ENV).map((name) => [name, 'localhost:1']));
  const env = {
    ...process.env,
    ...variables,
    AWS_LAMBDA_FUNCTION_NAME: 'bench',
    AWS_REGION: 'eu-west-1',
    [ENV.gatewayEndpoint]: 'https://localhost/stage',
    [ENV.logLevel]: 'SILENT',
  };
  const runs = Array.from({ length: RUNS }, () => {
    const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', program], {
      encoding: 'utf8',
      env,
    });
    if (stdout === '') throw new Error(`${url} did not start: ${stderr}`);
    return Number(stdout);
  });
  return Math.min(...runs);
}
