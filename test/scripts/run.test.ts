import { spawn, spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { exitCodeOf } from '../../scripts/lib/child.mjs';
import { nodeProblem } from '../../scripts/lib/node-version.mjs';
import { Progress } from '../../scripts/lib/progress.mjs';
import { countsOf, summaryLine } from '../../scripts/lib/tests.mjs';

const run = (...args: string[]) => spawnSync(process.execPath, ['scripts/run.mjs', ...args], { encoding: 'utf8' });

describe('the command line', () => {
  it.each([[], ['strat'], ['constructor']])('explains itself when it is given %j', (...args) => {
    const { status, stderr } = run(...args);
    expect(status).toBe(2);
    expect(stderr).toContain('Usage: node scripts/run.mjs COMMAND');
    for (const command of ['start', 'test', 'check', 'bench', 'docs'])
      expect(stderr).toMatch(new RegExp(`^  ${command} `, 'm'));
  });

  it('needs nothing but Node to begin: no script imports a package before the packages are there', () => {
    const files = [
      'scripts/run.mjs',
      ...readdirSync('scripts/lib')
        .filter((name) => name.endsWith('.mjs'))
        .map((name) => join('scripts/lib', name)),
    ];
    expect(files.length).toBeGreaterThan(5);
    for (const file of files) {
      const imported = [...readFileSync(file, 'utf8').matchAll(/^import .*?from '(.+?)';$/gms)].map(
        ([, name = '']) => name,
      );
      expect([file, imported.filter((name) => !/^node:|^\.\.?\//.test(name))]).toEqual([file, []]);
    }
  });

  it('is what package.json calls', () => {
    const { scripts } = JSON.parse(readFileSync('package.json', 'utf8')) as { scripts: Record<string, string> };
    for (const command of ['start', 'test', 'check', 'bench', 'docs'])
      expect(scripts[command]).toBe(`node scripts/run.mjs ${command}`);
  });
});

describe('the version of Node', () => {
  it.each([
    ['20.19.0', '>=20.19'],
    ['24.0.0', '>=20.19'],
    ['20.20.2', '^20.19.0 || >=22.12.0'],
    ['22.12.0', '^20.19.0 || >=22.12.0'],
  ])('%s is good for %s', (found, needed) => {
    expect(nodeProblem(found, needed)).toBeUndefined();
  });

  it.each([
    ['20.18.3', '>=20.19'],
    ['18.20.0', '>=20.19'],
    ['21.7.0', '^20.19.0 || >=22.12.0'],
    ['22.11.0', '^20.19.0 || >=22.12.0'],
  ])('%s is refused for %s, naming both', (found, needed) => {
    const problem = nodeProblem(found, needed);
    expect(problem).toContain(found);
    expect(problem).toContain(needed);
  });
});

describe('the sum of the tests', () => {
  const none = {
    numPassedTests: 0,
    numFailedTests: 0,
    numPendingTests: 0,
    numTodoTests: 0,
    numRuntimeErrorTestSuites: 0,
  };

  it('counts passed and failed, and mentions skipped ones only where there are some', () => {
    expect(summaryLine(countsOf({ ...none, numPassedTests: 12 }))).toBe('12 passed, 0 failed');
    expect(summaryLine(countsOf({ ...none, numFailedTests: 1, numPendingTests: 2, numTodoTests: 1 }))).toBe(
      '0 passed, 1 failed, 3 skipped',
    );
  });

  it('counts a file that could not be run as a failure', () => {
    expect(countsOf({ ...none, numRuntimeErrorTestSuites: 2 }).failed).toBe(2);
  });
});

describe('a program that is run', () => {
  const child = pathToFileURL('scripts/lib/child.mjs').href;
  const parent = (program: string): string =>
    `import { runChild, exitCodeOf } from '${child}';
     process.exitCode = exitCodeOf(await runChild(process.execPath, ['-e', ${JSON.stringify(program)}], { cwd: '.' }));`;

  it('gives its exit code', () => {
    const { status } = spawnSync(process.execPath, ['--input-type=module', '-e', parent('process.exit(7)')]);
    expect(status).toBe(7);
  });

  it.each(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)('gets a %s, and may end in its own way', async (signal) => {
    const program = `process.on('${signal}', () => process.exit(9)); setInterval(() => {}, 1000); console.log('ready');`;
    const outer = spawn(process.execPath, ['--input-type=module', '-e', parent(program)], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const code = new Promise((resolve) => outer.once('exit', resolve));
    await new Promise((resolve) => outer.stdout.once('data', resolve));
    outer.kill(signal);
    expect(await code).toBe(9);
  });

  it('that died by a signal gives 128 and its number', () => {
    expect(exitCodeOf({ code: null, signal: 'SIGKILL' })).toBe(137);
  });
});

describe('progress', () => {
  it('ends with what happened, also when the work fails', async () => {
    let printed = '';
    const progress = new Progress({ write: (text: string) => (printed += text) });
    await expect(progress.during('Digging', () => Promise.reject(new Error('rock')))).rejects.toThrow('rock');
    expect(printed).toMatch(/^Digging …\nDigging: failed after \d+\.\d s\n$/);
  });

  it('rewrites one line on a terminal', async () => {
    let printed = '';
    const progress = new Progress({ write: (text: string) => (printed += text), isTTY: true });
    await progress.during('Digging', () => Promise.resolve());
    expect(printed).toMatch(/^Digging …\rDigging: done in \d+\.\d s\n$/);
  });
});
