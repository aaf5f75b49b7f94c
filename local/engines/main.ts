import { startEngines } from './engines.ts';
import { EngineProblem } from './problem.ts';
import { ENGINE_NAMES } from './tools.ts';

/** `npm run engines`: the engines alone, until they are told to stop or one of them dies. */
async function main(): Promise<void> {
  const startedAtMs = Date.now();
  const ending = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => ending.abort());
  const onDeath = (problem: EngineProblem): void => ending.abort(problem);
  const engines = await startEngines({ log: print, signal: ending.signal, onDeath });
  print(`\nThe engines are ready after ${((Date.now() - startedAtMs) / 1_000).toFixed(1)} s:\n`);
  for (const name of ENGINE_NAMES) {
    const { host, port, pid, logFile } = engines[name];
    print(`  ${name.padEnd(10)} ${host}:${port}   process ${pid}, log ${logFile}`);
  }
  print('\n  What they hold is gone when you stop this with Ctrl+C.\n');
  await new Promise((resolve) => {
    if (ending.signal.aborted) resolve(undefined);
    ending.signal.addEventListener('abort', resolve);
  });
  await engines.stop();
  if (ending.signal.reason instanceof EngineProblem) throw ending.signal.reason;
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

main().then(
  () => process.exit(0),
  (error: unknown) => {
    process.stderr.write(
      `\n${error instanceof EngineProblem ? error.message : `The engines could not start: ${String(error)}`}\n`,
    );
    process.exit(1);
  },
);
