import { execFileSync } from 'node:child_process';
import { accessSync, constants, existsSync, readdirSync, readFileSync, realpathSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { isFetched, JVM_ENGINES, type JvmEngine } from './jars.ts';
import { EngineProblem } from './problem.ts';
import { ministackPython } from './python.ts';

export const ENGINE_NAMES = ['cassandra', 'kafka', 'dynamodb', 'redis', 'ministack'] as const;
export type EngineName = (typeof ENGINE_NAMES)[number];

/** What the engines need of the machine. Only what was asked for is there. */
export interface EngineTools {
  /** The `java` of a JDK or JRE 17. */
  readonly java?: string;
  /** Needed until the engines' jars are fetched. */
  readonly maven?: string;
  readonly redisServer?: string;
  /** A Python that can make environments. Needed until MiniStack is fetched. */
  readonly python?: string;
}

export interface ToolSearch {
  readonly tools: EngineTools;
  /** One line for each tool that is missing: what it is and how to get it. */
  readonly missing: readonly string[];
}

export interface Machine {
  readonly env: NodeJS.ProcessEnv;
  /** Folders whose subfolders are Java installations. */
  readonly jvmFolders: readonly string[];
}

/** Cassandra 5.0 refuses to start on newer ones. */
const JAVA_VERSION = 17;
/** MiniStack asks for no less, and an environment takes what Debian has in a package of its own. */
const PYTHON_PROBE = 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))';
const PROBE_MAX_MS = 10_000;
const PYTHONS = ['python3', 'python3.14', 'python3.13', 'python3.12', 'python3.11'];

const THIS_MACHINE: Machine = {
  env: process.env,
  jvmFolders: [
    '/usr/lib/jvm',
    '/Library/Java/JavaVirtualMachines',
    join(process.env['HOME'] ?? '', '.sdkman/candidates/java'),
  ],
};

/** Looks for what those engines need. Starts no engine. */
export function findEngineTools(
  only: readonly EngineName[] = ENGINE_NAMES,
  machine: Machine = THIS_MACHINE,
): ToolSearch {
  const { env } = machine;
  const missing: string[] = [];
  const need = (path: string | undefined, line: string): string | undefined => {
    if (path === undefined) missing.push(line);
    return path;
  };
  const onJvm = only.filter((name): name is JvmEngine => name in JVM_ENGINES);
  const java =
    onJvm.length === 0
      ? undefined
      : need(
          findJava(machine),
          `Java ${JAVA_VERSION} was not found: install it (apt-get install openjdk-17-jre-headless) or set JAVA_HOME to it.`,
        );
  const maven = onJvm.every((name) => isFetched(name, env))
    ? undefined
    : need(
        onPath('mvn', env),
        'Maven was not found, which fetches the engines once: install it (apt-get install maven).',
      );
  const redisServer = !only.includes('redis')
    ? undefined
    : need(
        onPath('redis-server', env) ?? onPath('valkey-server', env),
        'redis-server was not found: install it (apt-get install redis-server).',
      );
  const python =
    !only.includes('ministack') || ministackPython(env) !== undefined
      ? undefined
      : need(
          findPython(env),
          'Python 3.11 or newer with venv and pip was not found: install it (apt-get install python3-venv).',
        );
  const tools = {
    ...(java && { java }),
    ...(maven && { maven }),
    ...(redisServer && { redisServer }),
    ...(python && { python }),
  };
  return { tools, missing };
}

/** @throws {EngineProblem} a line for each tool that is missing */
export function requireEngineTools(only?: readonly EngineName[], machine?: Machine): EngineTools {
  const { tools, missing } = findEngineTools(only, machine);
  if (missing.length > 0) throw new EngineProblem(missing.join('\n'));
  return tools;
}

function findJava({ env, jvmFolders }: Machine): string | undefined {
  const installed = jvmFolders.flatMap((folder) =>
    existsSync(folder) ? readdirSync(folder).map((name) => join(folder, name)) : [],
  );
  const onThePath = onPath('java', env);
  const homes = [
    ...(env['JAVA_HOME'] ? [env['JAVA_HOME']] : []),
    ...installed.flatMap((home) => [home, join(home, 'Contents', 'Home')]),
    ...(onThePath === undefined ? [] : [dirname(dirname(realpathSync(onThePath)))]),
  ];
  const home = homes.find((candidate) => versionOf(candidate) === JAVA_VERSION);
  return home === undefined ? undefined : join(home, 'bin', 'java');
}

/** The major version of a Java installation, by the file in which each tells it. */
function versionOf(home: string): number | undefined {
  try {
    if (!existsSync(join(home, 'bin', 'java'))) return undefined;
    return Number(/^JAVA_VERSION="(\d+)/m.exec(readFileSync(join(home, 'release'), 'utf8'))?.[1]);
  } catch {
    return undefined;
  }
}

/** The first Python that is new enough and can make an environment with pip in it: only it itself can tell. */
function findPython(env: NodeJS.ProcessEnv): string | undefined {
  return PYTHONS.flatMap((name) => onPath(name, env) ?? []).find((python) => {
    try {
      execFileSync(python, ['-c', PYTHON_PROBE], { env, stdio: 'ignore', timeout: PROBE_MAX_MS });
      return true;
    } catch {
      return false;
    }
  });
}

function onPath(name: string, env: NodeJS.ProcessEnv): string | undefined {
  return (env['PATH'] ?? '')
    .split(delimiter)
    .filter((folder) => folder !== '')
    .map((folder) => join(folder, name))
    .find(isExecutable);
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
