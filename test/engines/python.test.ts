import { existsSync, readFileSync, rmSync } from 'node:fs';
import { EngineProblem } from '../../local/engines/problem.ts';
import { fetchMinistack, ministackPython } from '../../local/engines/python.ts';
import { makeBench, type Bench } from './support/machine.ts';

describe('the Python environment of MiniStack', () => {
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

  /** Stands for Python: notes how it was called, and makes an environment whose Python does the same. */
  const python = (pip = 'exit 0'): string =>
    bench.program(
      'python3',
      `echo "$@" >> ${bench.path('calls')}
if [ "$2" = pip ]; then ${pip}; fi
mkdir -p "$3/bin"; cp "$0" "$3/bin/python"`,
    );
  const calls = (): string[] => readFileSync(bench.path('calls'), 'utf8').trim().split('\n');
  const fetch = (file: string) => fetchMinistack({ python: file, log: (line) => said.push(line) });

  it('is made once, with exactly what is pinned, even when two ask at the same moment', async () => {
    const file = python(`cp "$8" ${bench.path('requirements')}; exit 0`);
    expect(ministackPython()).toBeUndefined();
    const [folder, other] = await Promise.all([fetch(file), fetch(file)]);
    expect([other, await fetch(file), ministackPython()]).toEqual([folder, folder, `${folder}/bin/python`]);
    expect(calls()).toEqual([
      expect.stringMatching(/^-m venv /),
      expect.stringMatching(/^-m pip install .*--no-deps -r .*requirements\.txt$/),
    ]);
    const requirements = readFileSync(bench.path('requirements'), 'utf8').trim().split('\n');
    expect(requirements).toContain('ministack==1.5.33');
    for (const line of requirements) expect(line).toMatch(/^[a-z0-9-]+==[0-9.a-z]+$/);
    expect(said).toEqual([
      expect.stringMatching(/^fetching MiniStack .* MB, once/),
      expect.stringMatching(/^fetched MiniStack/),
    ]);
  });

  it('is not there when pip fails, which names its output', async () => {
    const failure = fetch(python('echo no network; exit 7'));
    await expect(failure).rejects.toThrow(EngineProblem);
    await expect(failure).rejects.toThrow(/^pip could not fetch MiniStack.*exit code 7.*fetch-ministack\.log/);
    expect(readFileSync(bench.path('engines/fetch-ministack.log'), 'utf8')).toContain('no network');
    expect([ministackPython(), existsSync(bench.path('engines/fetch.lock'))]).toEqual([undefined, false]);
    await fetch(python());
    expect(ministackPython()).toBeDefined();
  });

  it('is made again when its Python is gone', async () => {
    const folder = await fetch(python());
    rmSync(`${folder}/bin/python`);
    await fetch(python());
    expect([calls().length, ministackPython()]).toEqual([4, `${folder}/bin/python`]);
  });
});
