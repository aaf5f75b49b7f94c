import { findEngineTools, requireEngineTools } from '../../local/engines/tools.ts';
import { EngineProblem } from '../../local/engines/problem.ts';
import { makeBench, type Bench } from './support/machine.ts';

describe('what the engines need of a machine', () => {
  let bench: Bench;
  beforeEach(() => {
    bench = makeBench();
  });
  afterEach(() => bench.remove());

  const java = (home: string, version: string): void => {
    bench.program(`${home}/bin/java`, 'exit 0');
    bench.file(`${home}/release`, `IMPLEMENTOR="Somebody"\nJAVA_VERSION="${version}"\n`);
  };
  const machine = (env: NodeJS.ProcessEnv = {}) => ({
    env: { PATH: bench.path('bin'), PARLEY_ENGINES_DIR: bench.path('engines'), ...env },
    jvmFolders: [bench.path('jvm')],
  });

  it('is told, a line for each that is missing, with how to get it', () => {
    const { missing } = findEngineTools(undefined, machine());
    expect(missing).toEqual([
      expect.stringMatching(/^Java 17 was not found: .*apt-get install openjdk-17.*JAVA_HOME/),
      expect.stringMatching(/^Maven was not found.*apt-get install maven/),
      expect.stringMatching(/^redis-server was not found: .*apt-get install redis-server/),
      expect.stringMatching(/^Python 3\.11 .* venv and pip was not found: .*apt-get install python3-venv/),
    ]);
    for (const line of missing) expect(line).not.toContain('\n');
    expect(() => requireEngineTools(undefined, machine())).toThrow(new EngineProblem(missing.join('\n')));
  });

  it('is only what those engines need that are asked for', () => {
    expect(findEngineTools(['redis'], machine()).missing).toHaveLength(1);
    bench.program('bin/redis-server', 'exit 0');
    expect(findEngineTools(['redis'], machine())).toEqual({
      tools: { redisServer: bench.path('bin/redis-server') },
      missing: [],
    });
    expect(findEngineTools(['kafka'], machine()).missing).toHaveLength(2);
  });

  it('takes Valkey for Redis', () => {
    bench.program('bin/valkey-server', 'exit 0');
    expect(findEngineTools(['redis'], machine()).tools.redisServer).toBe(bench.path('bin/valkey-server'));
  });

  it('asks each Python whether it will do, and needs none when MiniStack is fetched', () => {
    const found = () => findEngineTools(['ministack'], machine());
    bench.program('bin/python3', 'exit 1');
    expect(found().missing).toHaveLength(1);
    bench.program('bin/python3.12', 'exit 0');
    expect(found()).toEqual({ tools: { python: bench.path('bin/python3.12') }, missing: [] });
  });

  it('finds Java 17 by JAVA_HOME, among those that are installed, and by the PATH, and takes no other version', () => {
    const found = (env?: NodeJS.ProcessEnv) => findEngineTools(['kafka'], machine(env)).tools.java;
    java('jvm/new', '21.0.1');
    java('own', '17.0.9');
    expect(found()).toBeUndefined();
    expect(found({ JAVA_HOME: bench.path('jvm/new') })).toBeUndefined();
    expect(found({ JAVA_HOME: bench.path('own') })).toBe(bench.path('own/bin/java'));
    expect(found({ PATH: bench.path('own/bin') })).toBe(bench.path('own/bin/java'));
    java('jvm/old', '17.0.15');
    expect(found()).toBe(bench.path('jvm/old/bin/java'));
    java('jvm/mac/Contents/Home', '17.0.15');
    expect(found({ JAVA_HOME: '/nowhere' })).toBeDefined();
  });
});
