import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { startParley, type Parley } from './parley.ts';

jest.setTimeout(120_000);

describe("the program of the SDK's README", () => {
  let parley: Parley;

  beforeAll(async () => {
    parley = await startParley();
  });

  afterAll(async () => {
    await parley.stop();
  });

  it('works when pasted', async () => {
    const program = /```(?:js|javascript)\n([\s\S]*?)```/.exec(readFileSync('client/README.md', 'utf8'))?.[1] ?? '';
    expect(program.trim().split('\n').length).toBeLessThanOrEqual(25);
    expect(program).toContain('http://127.0.0.1:8787');
    // Only the port differs: a test takes any that is free.
    const pasted = program.replaceAll('127.0.0.1:8787', new URL(parley.url).host);
    const folder = mkdtempSync(join(process.cwd(), '.parley', 'pasted-'));
    try {
      const file = join(folder, 'chat.mjs');
      writeFileSync(file, pasted);
      const { stdout, stderr } = await promisify(execFile)(process.execPath, [file], { timeout: 30_000 });
      expect(stderr).toBe('');
      expect(stdout).not.toBe('');
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
