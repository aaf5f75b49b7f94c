import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { withLock } from './lock.ts';
import { EngineProblem, GIVEN_UP } from './problem.ts';
import { supervise } from './supervise.ts';

/** The engines that run on the JVM, by their Maven coordinates. */
export const JVM_ENGINES = {
  cassandra: { title: 'Cassandra 5.0.6', megabytes: 66, artifacts: ['org.apache.cassandra:cassandra-all:5.0.6'] },
  kafka: {
    title: 'Kafka 4.3.1',
    megabytes: 44,
    artifacts: ['org.apache.kafka:kafka_2.13:4.3.1', 'org.slf4j:slf4j-nop:1.7.36'],
  },
  dynamodb: {
    title: 'DynamoDB Local 3.3.1',
    megabytes: 50,
    artifacts: ['software.amazon.dynamodb:DynamoDBLocal:3.3.1'],
  },
} as const;
export type JvmEngine = keyof typeof JVM_ENGINES;

const PROGRESS_EVERY_MS = 5_000;

/** Where everything of the engines lies: `PARLEY_ENGINES_DIR`, or a folder of the checkout that git ignores. */
export function enginesHome(env: NodeJS.ProcessEnv = process.env): string {
  return resolve(env['PARLEY_ENGINES_DIR'] ?? join('.parley', 'engines'));
}

export function isFetched(engine: JvmEngine, env: NodeJS.ProcessEnv = process.env): boolean {
  return existsSync(jarsFolder(engine, env));
}

export interface FetchOptions {
  readonly maven: string | undefined;
  /** Is told what goes on, a line at a time. */
  readonly log: (line: string) => void;
  readonly signal?: AbortSignal;
}

/**
 * Fetches the jars of an engine with Maven unless they are there. Safe to call from several processes at once: one fetches, the others wait.
 * @returns the folder of the jars
 * @throws {EngineProblem} what failed, and where the whole of Maven's output is
 */
export async function fetchJars(engine: JvmEngine, options: FetchOptions): Promise<string> {
  const folder = jarsFolder(engine);
  if (existsSync(folder)) return folder;
  mkdirSync(enginesHome(), { recursive: true });
  // One after the other: Maven's own cache is not made for two at once.
  await withLock(join(enginesHome(), 'fetch.lock'), async () => {
    if (!existsSync(folder)) await fetchInto(folder, engine, options);
  });
  return folder;
}

async function fetchInto(
  folder: string,
  engine: JvmEngine,
  { maven = 'mvn', log, signal }: FetchOptions,
): Promise<void> {
  if (signal?.aborted) throw new EngineProblem(GIVEN_UP);
  const { title, megabytes } = JVM_ENGINES[engine];
  log(`fetching ${title} (${megabytes} MB, once) …`);
  // Whoever holds the lock has it alone, with what a fetch left that was killed.
  const work = join(enginesHome(), 'fetching');
  rmSync(work, { recursive: true, force: true });
  mkdirSync(work);
  const jars = join(work, 'jars');
  const logFile = join(enginesHome(), `fetch-${engine}.log`);
  try {
    writeFileSync(join(work, 'pom.xml'), pomOf(engine));
    writeFileSync(logFile, '');
    const startedAtMs = Date.now();
    const args = ['-B', 'dependency:copy-dependencies', `-DoutputDirectory=${jars}`, '-DincludeScope=runtime'];
    const mvn = await supervise({ file: maven, args, cwd: work }, logFile);
    const progress = setInterval(() => {
      const count = readFileSync(logFile, 'utf8').match(/Downloaded from .*\.jar /g)?.length ?? 0;
      log(`fetching ${title}: ${count} jars, ${seconds(startedAtMs)}`);
    }, PROGRESS_EVERY_MS);
    const giveUp = (): void => void mvn.end();
    signal?.addEventListener('abort', giveUp);
    if (signal?.aborted) giveUp();
    const code = await mvn.ended;
    signal?.removeEventListener('abort', giveUp);
    clearInterval(progress);
    if (signal?.aborted) throw new EngineProblem(GIVEN_UP);
    if (code !== 0)
      throw new EngineProblem(`Maven could not fetch ${title} (exit code ${code}): see ${logFile}, then start again.`);
    // All or nothing: the folder is there only when it is complete.
    mkdirSync(join(folder, '..'), { recursive: true });
    if (!existsSync(folder)) renameSync(jars, folder);
    log(`fetched ${title} in ${seconds(startedAtMs)}`);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

function seconds(sinceMs: number): string {
  return `${((Date.now() - sinceMs) / 1_000).toFixed(1)} s`;
}

/** Named after what is asked for, so that another version never meets these jars. */
function jarsFolder(engine: JvmEngine, env: NodeJS.ProcessEnv = process.env): string {
  const hash = createHash('sha256').update(pomOf(engine)).digest('hex').slice(0, 8);
  return join(enginesHome(env), 'jars', `${engine}-${hash}`);
}

function pomOf(engine: JvmEngine): string {
  const dependencies = JVM_ENGINES[engine].artifacts.map((artifact) => {
    const [groupId, artifactId, version] = artifact.split(':');
    return `    <dependency><groupId>${groupId}</groupId><artifactId>${artifactId}</artifactId><version>${version}</version></dependency>`;
  });
  return `<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>parley</groupId>
  <artifactId>engine-${engine}</artifactId>
  <version>1</version>
  <packaging>pom</packaging>
  <dependencies>
${dependencies.join('\n')}
  </dependencies>
</project>
`;
}
