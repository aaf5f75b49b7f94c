import { existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join, relative } from 'node:path';
import { AssemblyError } from '../assembly/assembly-error.ts';
import type { DeployedApp } from '../assembly/deployed-app.ts';
import { startEngines, type Engines } from '../engines/engines.ts';
import { isAlive } from '../engines/lock.ts';
import { EngineProblem } from '../engines/problem.ts';
import { readArguments, type Arguments } from './arguments.ts';
import { Explained } from './explained.ts';
import { FunctionLog } from './function-log.ts';
import { isStale, synthesize } from './synthesize.ts';

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** `npm run start:engines`: the synthesized app on real engines, until it is told to stop or an engine dies. */
async function main(): Promise<void> {
  // The logger reads its level when it is loaded.
  process.env['POWERTOOLS_LOG_LEVEL'] ??= 'ERROR';
  const args = readArguments(process.argv.slice(2), process.env);
  const root = process.cwd();
  const ending = new AbortController();
  for (const signal of SIGNALS) process.on(signal, () => ending.abort());
  // A disk that is full shows anywhere: stop in good order, and say so.
  process.on('uncaughtException', (error) => ending.abort(error));
  const dir = makeRunDir(root);
  const functionLog = new FunctionLog(join(dir, 'functions.log'), args.verbose, print);
  const closers: (() => unknown)[] = [() => functionLog.close()];
  let started: Promise<Engines> | undefined;
  const engines = (): Promise<Engines> => {
    if (started) return started;
    started = startEngines({ log: print, signal: ending.signal, onDeath: (problem) => ending.abort(problem) });
    // Told of by whoever waits for them; until then it only ends the rest.
    started.catch((error: unknown) => ending.abort(error));
    closers.splice(1, 0, async () => (await started?.catch(() => undefined))?.stop());
    return started;
  };
  try {
    await run(args, { root, dir, engines, functionLog, ending: ending.signal, closers });
  } catch (error) {
    ending.abort(error);
  } finally {
    for (const close of closers.reverse()) await close();
  }
  // What failed first; being told to stop is no failure.
  const reason: unknown = ending.signal.reason;
  if (!(reason instanceof Error) || reason.name !== 'AbortError') throw reason;
}

interface Run {
  readonly root: string;
  readonly dir: string;
  /** Starts them, once. */
  readonly engines: () => Promise<Engines>;
  readonly functionLog: FunctionLog;
  readonly ending: AbortSignal;
  readonly closers: (() => unknown)[];
}

async function run(args: Arguments, { root, dir, engines, functionLog, ending, closers }: Run): Promise<void> {
  const assembly = args.assembly ?? join(root, '.parley', 'cdk.out');
  if (args.assembly === undefined && isStale(root, assembly)) {
    // Side by side; otherwise nothing is started before the assembly has been read.
    void engines();
    await synthesize(root, assembly, print);
  }
  const { startEnginesApp } = await import('./app.ts');
  const webRoot = join(root, 'web', 'dist');
  const app = await startEnginesApp({
    root,
    assembly,
    port: args.port,
    engines,
    dir,
    functionLog: functionLog.write,
    log: print,
    ...(existsSync(webRoot) && { webRoot }),
  });
  closers.push(() => app.close());
  if (ending.aborted) return;
  if (args.watch) {
    const { watchBundles } = await import('./watch.ts');
    const watching = watchBundles({
      root,
      outdir: join(dir, 'bundles'),
      functions: app.app.functions.values(),
      replace: (functions) => app.replace(functions),
      log: print,
    });
    closers.push(() => watching.close());
  }
  app.prepare();
  const since = Number(process.env['PARLEY_STARTED_AT_MS']);
  const took = since > 0 ? ` after ${((Date.now() - since) / 1_000).toFixed(1)} s` : '';
  print(`\nParley is ready${took}: the synthesized app, on real engines.\n`);
  print(`  web client   ${app.url}/`);
  print(`  WebSocket    ${app.socketUrl}`);
  print(`  tokens       POST ${app.url}/dev/token {"userId":"ana"}`);
  print(`  functions    ${relative(root, functionLog.file)} has every line that they write\n`);
  for (const line of runtimeNotes(app.app)) print(`  ${line}\n`);
  print('  What the engines hold is gone when you stop this with Ctrl+C.\n');
  await new Promise((resolve) => {
    if (ending.aborted) resolve(undefined);
    ending.addEventListener('abort', resolve);
  });
}

/** What is not as on AWS. */
function runtimeNotes({ functions }: DeployedApp): string[] {
  const here = Number(process.versions.node.split('.')[0]);
  const asked = new Set([...functions.values()].map(({ runtime }) => Number(/\d+/.exec(runtime)?.[0])));
  return [...asked]
    .filter((major) => major !== here)
    .map((major) => `On AWS the functions run on Node.js ${major}, here on ${here}.`);
}

/** A folder for this run. Those of runs that are over are removed, so that the last one can be looked into. */
function makeRunDir(root: string): string {
  const runs = join(root, '.parley', 'start-engines');
  mkdirSync(runs, { recursive: true });
  for (const name of readdirSync(runs)) {
    if (!isAlive(Number(name))) rmSync(join(runs, name), { recursive: true, force: true });
  }
  const dir = join(runs, String(process.pid));
  mkdirSync(dir, { recursive: true });
  return dir;
}

function explain(error: unknown): string {
  const { code, message } = error as { code?: string; message?: string };
  if (code === 'EADDRINUSE') {
    return 'The port is taken, perhaps by another Parley. Choose another one: PORT=8788 npm run start:engines';
  }
  if (code === 'EACCES') {
    return 'This port needs rights that you do not have. Choose one above 1023: PORT=8788 npm run start:engines';
  }
  if (code === 'ENOSPC') return `The disk is full: free some space and start again. (${message ?? ''})`;
  const isOurs = error instanceof Explained || error instanceof EngineProblem || error instanceof AssemblyError;
  return isOurs
    ? error.message
    : `Parley could not start: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`;
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

main().then(
  () => process.exit(0),
  (error: unknown) => {
    process.stderr.write(`\n${explain(error)}\n`);
    process.exit(1);
  },
);
