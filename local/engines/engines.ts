import { mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { cassandra } from './cassandra.ts';
import { dynamodb } from './dynamodb.ts';
import { Engine, type EngineKind } from './engine.ts';
import { enginesHome, type FetchOptions } from './fetch.ts';
import { fetchJars, JVM_ENGINES, type JvmEngine } from './jars.ts';
import { kafka } from './kafka.ts';
import { isAlive } from './lock.ts';
import { ministack } from './ministack.ts';
import { EngineProblem, GIVEN_UP } from './problem.ts';
import { fetchMinistack } from './python.ts';
import { redis } from './redis.ts';
import { ENGINE_NAMES, requireEngineTools, type EngineName, type EngineTools } from './tools.ts';

const KINDS: Readonly<Record<EngineName, EngineKind>> = { cassandra, kafka, dynamodb, redis, ministack };

export interface StartEnginesOptions<N extends EngineName> {
  /** Default: all of them. */
  readonly only?: readonly N[];
  /** Where data and logs lie, and stay. Default: a folder of this run, which is removed when the engines are stopped. */
  readonly dir?: string;
  /** Is told what goes on, a line at a time. */
  readonly log?: (line: string) => void;
  /** Gives up: what was started is ended, and the call rejects. */
  readonly signal?: AbortSignal;
  /** Called when an engine ends that nobody told to. */
  readonly onDeath?: (problem: EngineProblem) => void;
}

export type Engines<N extends EngineName = EngineName> = Readonly<Record<N, Engine>> & {
  /** Ends all of them in good order and resolves when they are gone. */
  readonly stop: () => Promise<void>;
};

/**
 * Fetches the engines unless they are there, starts them side by side on free ports of 127.0.0.1, and resolves when all answer their
 * clients. Any number of runs may be on one machine at once. Nothing outlives this process, however it ends.
 * @throws {EngineProblem} what is missing or failed, and what to do; nothing is left running
 */
export async function startEngines<N extends EngineName = EngineName>(
  options: StartEnginesOptions<N> = {},
): Promise<Engines<N>> {
  const { log = () => undefined, onDeath = () => undefined } = options;
  const names = options.only ?? (ENGINE_NAMES as readonly EngineName[] as readonly N[]);
  const tools = requireEngineTools(names);
  const runDir = options.dir ?? makeRunDir();
  const failed = new AbortController();
  const signal = AbortSignal.any([failed.signal, ...(options.signal ? [options.signal] : [])]);
  const engines = new Map<N, Engine>();
  const stop = async (): Promise<void> => {
    await Promise.all([...engines.values()].map((engine) => engine.stop()));
  };
  const startOne = async (name: N): Promise<void> => {
    const fetched = await fetchOf(name, tools, { log, signal });
    if (signal.aborted) throw new EngineProblem(GIVEN_UP);
    const startedAtMs = Date.now();
    const engine = new Engine(KINDS[name], { dir: join(runDir, name), tools, fetched, onDeath });
    engines.set(name, engine);
    await engine.start();
    const took = ((Date.now() - startedAtMs) / 1_000).toFixed(1);
    log(`${KINDS[name].title} answers on ${engine.host}:${engine.port} after ${took} s`);
  };
  const stopAll = (): void => void stop();
  signal.addEventListener('abort', stopAll);
  const starts = names.map((name) =>
    startOne(name).catch((error: unknown) => {
      failed.abort(error);
      throw error;
    }),
  );
  await Promise.allSettled(starts);
  signal.removeEventListener('abort', stopAll);
  if (signal.aborted) {
    await stop();
    throw options.signal?.aborted === true ? new EngineProblem(GIVEN_UP) : failed.signal.reason;
  }
  return Object.assign(Object.fromEntries(engines) as Record<N, Engine>, {
    stop: async () => {
      await stop();
      if (options.dir === undefined) rmSync(runDir, { recursive: true, force: true });
    },
  });
}

/** The folder of what an engine is fetched as; empty for one that the machine has. */
async function fetchOf(name: EngineName, { maven, python }: EngineTools, options: FetchOptions): Promise<string> {
  if (isJvmEngine(name)) return fetchJars(name, { maven, ...options });
  return name === 'ministack' ? fetchMinistack({ python, ...options }) : '';
}

function isJvmEngine(name: EngineName): name is JvmEngine {
  return name in JVM_ENGINES;
}

/** A folder for this run, named after our process; those of processes that are gone are removed. */
function makeRunDir(): string {
  const runs = join(enginesHome(), 'runs');
  mkdirSync(runs, { recursive: true });
  for (const name of readdirSync(runs)) {
    if (!isAlive(Number(name.split('-')[0]))) rmSync(join(runs, name), { recursive: true, force: true });
  }
  return mkdtempSync(join(runs, `${process.pid}-`));
}
