import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describeWith } from '../require.ts';
import { startParley, type Parley } from './parley.ts';

jest.setTimeout(600_000);

interface Results {
  readonly numPassedTests: number;
  readonly testResults: readonly { readonly name: string; readonly status: string; readonly message: string }[];
}

describeWith('engines', 'the same end-to-end tests on the synthesized app and real engines', () => {
  let parley: Parley;

  beforeAll(async () => {
    parley = await startParley('start:engines');
  });

  afterAll(async () => {
    await parley.stop();
  });

  it('all pass', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'parley-e2e-'));
    try {
      const file = join(folder, 'results.json');
      const args = [
        'test/e2e',
        '--testPathIgnorePatterns',
        'on-engines',
        '--runInBand',
        '--json',
        `--outputFile=${file}`,
      ];
      const env = { ...process.env, PARLEY_URL: parley.url, PARLEY_ARTEFACTS: 'engines' };
      const jest = spawn(process.execPath, ['node_modules/jest/bin/jest.js', ...args], { env, stdio: 'ignore' });
      await once(jest, 'exit');
      const { testResults, numPassedTests } = JSON.parse(readFileSync(file, 'utf8')) as Results;
      expect(testResults.filter(({ status }) => status !== 'passed').map(({ message }) => message)).toEqual([]);
      expect(testResults.length).toBeGreaterThanOrEqual(4);
      expect(numPassedTests).toBeGreaterThanOrEqual(12);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
