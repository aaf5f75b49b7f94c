import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { delimiter, dirname } from 'node:path';
import { startEngines } from '../../local/engines/engines.ts';
import { enginesHome } from '../../local/engines/fetch.ts';
import { isAlive } from '../../local/engines/lock.ts';
import { EngineProblem } from '../../local/engines/problem.ts';
import { findEngineTools } from '../../local/engines/tools.ts';
import { unique, until } from '../contracts/contract.ts';
import { describeWith } from '../require.ts';
import { makeBench, processesWith, type Bench } from './support/machine.ts';

const START_MS = 120_000;
const TSX = ['--conditions=parley-source', '--import', 'tsx'];

jest.setTimeout(30_000);

describeWith('engines', 'engines on this machine', () => {
  const before = { PATH: process.env['PATH'], JAVA_HOME: process.env['JAVA_HOME'] };
  let bench: Bench;
  beforeEach(() => {
    bench = makeBench();
  });
  afterEach(() => {
    bench.remove();
    for (const [name, value] of Object.entries(before)) {
      if (value === undefined) Reflect.deleteProperty(process.env, name);
      else process.env[name] = value;
    }
  });
  const start = (more: { onDeath?: (problem: EngineProblem) => void; signal?: AbortSignal } = {}) =>
    startEngines({ only: ['redis'], dir: bench.dir, ...more });

  it('run side by side, each on ports and with data of its own, and leave nothing when they are stopped', async () => {
    const all = await Promise.all([startEngines({ only: ['redis'] }), startEngines({ only: ['redis'] })]);
    const [one, other] = all.map(({ redis }) => redis) as [(typeof all)[0]['redis'], (typeof all)[0]['redis']];
    const pids = [one.pid!, other.pid!];
    const dirs = [one, other].map(({ logFile }) => dirname(dirname(logFile)));
    expect(new Set([one.port, other.port, ...pids, ...dirs]).size).toBe(6);
    expect(dirs.every((dir) => existsSync(dir) && dir.startsWith(enginesHome()))).toBe(true);
    await Promise.all(all.map((engines) => engines.stop()));
    expect(pids.map(isAlive)).toEqual([false, false]);
    expect(dirs.map((dir) => existsSync(dir))).toEqual([false, false]);
    expect([one.pid, other.pid]).toEqual([undefined, undefined]);
  });

  it('come back on the same port after a kill, and a folder that was given stays', async () => {
    const { redis, stop } = await start();
    const { port, pid } = redis;
    await redis.kill();
    expect([isAlive(pid!), redis.pid]).toEqual([false, undefined]);
    await redis.start();
    expect([redis.port, isAlive(redis.pid!)]).toEqual([port, true]);
    await stop();
    expect(readFileSync(redis.logFile, 'utf8')).toContain('Ready to accept connections');
  });

  it('end with the process that started them, even when that one is killed', async () => {
    const parent = spawn(process.execPath, [...TSX, 'test/engines/support/run-redis.ts'], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const pid = Number(/\d+/.exec(await lineWith(parent, 'pid'))?.[0]);
    expect(isAlive(pid)).toBe(true);
    parent.kill('SIGKILL');
    await until(() => !isAlive(pid));
    const leftover = (): string[] =>
      readdirSync(`${enginesHome()}/runs`).filter((name) => name.startsWith(`${parent.pid}-`));
    expect(leftover()).toHaveLength(1);
    await (await startEngines({ only: ['redis'] })).stop();
    expect(leftover()).toEqual([]);
  });

  it.each(['SIGTERM', 'SIGINT'] as const)(
    'end in the middle of their start with npm run engines at a %s',
    async (signal) => {
      const main = spawn(process.execPath, [...TSX, 'local/engines/main.ts'], { stdio: ['ignore', 'pipe', 'ignore'] });
      await lineWith(main, 'redis-server answers');
      const run = `/runs/${main.pid}-`;
      expect(processesWith(run).length).toBeGreaterThan(1);
      main.kill(signal);
      await once(main, 'exit');
      expect(processesWith(run)).toEqual([]);
    },
    START_MS,
  );

  it('that die are told of, and where their log is', async () => {
    const deaths: EngineProblem[] = [];
    const { redis, stop } = await start({ onDeath: (problem) => deaths.push(problem) });
    process.kill(redis.pid!, 'SIGKILL');
    await until(() => deaths.length > 0);
    await stop();
    expect(deaths.map(({ message }) => message)).toEqual([
      `redis-server ended with exit code 137: its log ${redis.logFile} says why.`,
    ]);
  });

  it('try other ports when one is taken in between', async () => {
    const { redisServer } = findEngineTools(['redis']).tools;
    bench.program(
      'bin/redis-server',
      `echo x >> ${bench.path('tries')}
if [ "$(wc -l < ${bench.path('tries')})" -lt 3 ]; then echo "bind: Address already in use"; exit 1; fi
exec ${redisServer} "$@"`,
    );
    process.env['PATH'] = `${bench.path('bin')}${delimiter}${before.PATH}`;
    const { redis, stop } = await start();
    expect(isAlive(redis.pid!)).toBe(true);
    await stop();
    expect(readFileSync(bench.path('tries'), 'utf8')).toBe('x\nx\nx\n');
  });

  it.each([
    [
      'echo oh no; exit 3',
      /^redis-server ended with exit code 3 before it was ready: its log .*engine\.log says why\.$/,
    ],
    ['echo "bind: Address already in use"; exit 1', /^redis-server ended with exit code 1 before it was ready/],
    ['echo "write: No space left on device"; exit 1', /^redis-server found no space left on the disk of .*: free some/],
  ])('that do not start say so in a line: %s', async (script, line) => {
    bench.program('bin/redis-server', script);
    process.env['PATH'] = `${bench.path('bin')}${delimiter}${before.PATH}`;
    const failure = start();
    await expect(failure).rejects.toThrow(EngineProblem);
    await expect(failure).rejects.toThrow(line);
  });

  it('leave none running when one of them does not start', async () => {
    const mark = unique('never');
    bench.program('home/bin/java', 'exit 1');
    bench.file('home/release', 'JAVA_VERSION="17"\n');
    process.env['JAVA_HOME'] = bench.path('home');
    const dir = bench.path(mark);
    await expect(startEngines({ only: ['redis', 'kafka'], dir })).rejects.toThrow(
      /^Kafka 4\.3\.1 could not be prepared/,
    );
    expect(processesWith(mark)).toEqual([]);
  });

  it('are given up on request', async () => {
    const giveUp = new AbortController();
    const starting = start({ signal: giveUp.signal });
    await until(() => processesWith(bench.dir).length > 0);
    giveUp.abort();
    await expect(starting).rejects.toThrow('The start of the engines was given up.');
    expect(processesWith(bench.dir)).toEqual([]);
  });
});

async function lineWith({ stdout }: ChildProcess, text: string): Promise<string> {
  for await (const line of createInterface({ input: stdout! })) if (line.includes(text)) return line;
  throw new Error(`ended without "${text}"`);
}
