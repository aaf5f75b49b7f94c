import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { diskFull, isDiskFull } from './disk.ts';
import { withLock } from './lock.ts';
import { EngineProblem, GIVEN_UP } from './problem.ts';
import { supervise, type Command } from './supervise.ts';

/** What an engine is made of, and who fetches it. */
export interface Parcel {
  /** Short, for files and folders. */
  readonly name: string;
  readonly title: string;
  readonly megabytes: number;
  /** As messages name who fetches it: `Maven`. */
  readonly fetcher: string;
  /** All that decides what is fetched: another text never meets these files. */
  readonly contents: string;
  /** Fills `target`, one command after the other. `work` is an empty folder for what they need besides. */
  readonly commands: (work: string, target: string) => readonly Command[];
  /** How far it is, from what the commands have said. */
  readonly progress: (said: string) => string;
}

export interface FetchOptions {
  /** Is told what goes on, a line at a time. */
  readonly log: (line: string) => void;
  readonly signal?: AbortSignal;
}

const PROGRESS_EVERY_MS = 5_000;

/** Where everything of the engines lies: `PARLEY_ENGINES_DIR`, or a folder of the checkout that git ignores. */
export function enginesHome(env: NodeJS.ProcessEnv = process.env): string {
  return resolve(env['PARLEY_ENGINES_DIR'] ?? join('.parley', 'engines'));
}

/** The folder of a parcel, which is there only when it is complete. */
export function folderOf({ name, contents }: Parcel, kind: string, env?: NodeJS.ProcessEnv): string {
  const hash = createHash('sha256').update(contents).digest('hex').slice(0, 8);
  return join(enginesHome(env), kind, `${name}-${hash}`);
}

/**
 * Fetches a parcel into `folder` unless it is there. Safe to call from several processes at once: one fetches, the others wait.
 * @throws {EngineProblem} what failed, and where the whole output is
 */
export async function fetchOnce(folder: string, parcel: Parcel, options: FetchOptions): Promise<void> {
  if (existsSync(folder)) return;
  mkdirSync(enginesHome(), { recursive: true });
  // One after the other: Maven's own cache is not made for two at once.
  await withLock(join(enginesHome(), 'fetch.lock'), async () => {
    if (!existsSync(folder)) await fetchInto(folder, parcel, options);
  });
}

async function fetchInto(folder: string, parcel: Parcel, { log, signal }: FetchOptions): Promise<void> {
  if (signal?.aborted) throw new EngineProblem(GIVEN_UP);
  const { name, title, megabytes, fetcher, commands, progress } = parcel;
  log(`fetching ${title} (${megabytes} MB, once) …`);
  // Whoever holds the lock has it alone, with what a fetch left that was killed.
  const work = join(enginesHome(), 'fetching');
  rmSync(work, { recursive: true, force: true });
  mkdirSync(work);
  const target = join(work, 'target');
  const logFile = join(enginesHome(), `fetch-${name}.log`);
  writeFileSync(logFile, '');
  const startedAtMs = Date.now();
  const telling = setInterval(
    () => log(`fetching ${title}: ${progress(readFileSync(logFile, 'utf8'))}, ${seconds(startedAtMs)}`),
    PROGRESS_EVERY_MS,
  );
  try {
    for (const command of commands(work, target)) {
      const code = await runToEnd(command, logFile, signal);
      if (signal?.aborted) throw new EngineProblem(GIVEN_UP);
      if (code !== 0 && isDiskFull(work, readFileSync(logFile, 'utf8'))) throw diskFull(title, enginesHome());
      if (code !== 0) {
        throw new EngineProblem(
          `${fetcher} could not fetch ${title} (exit code ${code}): see ${logFile}, then start again.`,
        );
      }
    }
    // All or nothing: the folder is there only when it is complete.
    mkdirSync(dirname(folder), { recursive: true });
    renameSync(target, folder);
    log(`fetched ${title} in ${seconds(startedAtMs)}`);
  } finally {
    clearInterval(telling);
    rmSync(work, { recursive: true, force: true });
  }
}

async function runToEnd(command: Command, logFile: string, signal?: AbortSignal): Promise<number> {
  const running = await supervise(command, logFile);
  const giveUp = (): void => void running.end();
  signal?.addEventListener('abort', giveUp);
  if (signal?.aborted) giveUp();
  const code = await running.ended;
  signal?.removeEventListener('abort', giveUp);
  return code;
}

function seconds(sinceMs: number): string {
  return `${((Date.now() - sinceMs) / 1_000).toFixed(1)} s`;
}
