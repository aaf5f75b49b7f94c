import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { spawnSync } from 'node:child_process';
import { fetchJars, isFetched } from '../../local/engines/jars.ts';
import { EngineProblem } from '../../local/engines/problem.ts';
import { makeBench, type Bench } from './support/machine.ts';

describe('the jars of an engine', () => {
  const before = process.env['PARLEY_ENGINES_DIR'];
  let bench: Bench;
  let said: string[];
  beforeEach(() => {
    bench = makeBench();
    said = [];
    process.env['PARLEY_ENGINES_DIR'] = bench.path('engines');
  });
  afterEach(() => {
    bench.remove();
    if (before === undefined) delete process.env['PARLEY_ENGINES_DIR'];
    else process.env['PARLEY_ENGINES_DIR'] = before;
  });

  /** Stands for Maven: notes that it was called, and puts a jar where it was told. */
  const maven = (more = ''): string =>
    bench.program(
      'mvn',
      `echo "$@" >> ${bench.path('calls')}; ${more}
for arg; do case "$arg" in -DoutputDirectory=*) mkdir -p "\${arg#*=}"; cp pom.xml "\${arg#*=}/a.jar";; esac; done`,
    );
  const calls = (): number => readFileSync(bench.path('calls'), 'utf8').trim().split('\n').length;
  const fetch = (mvn: string, signal?: AbortSignal) =>
    fetchJars('kafka', { maven: mvn, log: (line) => said.push(line), ...(signal && { signal }) });

  it('are fetched once, even when two ask at the same moment, and it is said', async () => {
    const mvn = maven();
    expect(isFetched('kafka')).toBe(false);
    const [folder, other] = await Promise.all([fetch(mvn), fetch(mvn)]);
    expect([other, await fetch(mvn), calls(), isFetched('kafka')]).toEqual([folder, folder, 1, true]);
    expect(readFileSync(`${folder}/a.jar`, 'utf8')).toContain('<artifactId>kafka_2.13</artifactId><version>4.3.1<');
    expect(said).toEqual([
      expect.stringMatching(/^fetching Kafka .* MB, once/),
      expect.stringMatching(/^fetched Kafka/),
    ]);
    expect(readdirSync(bench.path('engines')).sort()).toEqual(['fetch-kafka.log', 'jars']);
  });

  it('are not there when Maven fails, which names its output', async () => {
    const failure = fetch(maven('echo no network; exit 1'));
    await expect(failure).rejects.toThrow(EngineProblem);
    await expect(failure).rejects.toThrow(/^Maven could not fetch Kafka.*exit code 1.*fetch-kafka\.log/);
    expect(readFileSync(bench.path('engines/fetch-kafka.log'), 'utf8')).toContain('no network');
    expect([isFetched('kafka'), existsSync(bench.path('engines/fetch.lock'))]).toEqual([false, false]);
    await fetch(maven());
    expect(isFetched('kafka')).toBe(true);
  });

  it('do not wait for a process that died while it fetched', async () => {
    const { pid } = spawnSync('true');
    bench.file('engines/fetch.lock', String(pid));
    await fetch(maven());
    expect(isFetched('kafka')).toBe(true);
  });

  it('are given up on request, with Maven', async () => {
    const giveUp = new AbortController();
    const fetching = fetch(maven(`echo $$ > ${bench.path('pid')}; exec sleep 60`), giveUp.signal);
    while (!existsSync(bench.path('pid'))) await new Promise(setImmediate);
    giveUp.abort();
    await expect(fetching).rejects.toThrow(EngineProblem);
    const pid = Number(readFileSync(bench.path('pid'), 'utf8'));
    expect(() => process.kill(pid, 0)).toThrow(/ESRCH/);
  });
});
