import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';

/** What a page pays for the SDK; raise it on purpose only. */
const GZIPPED_MAX_BYTES = 16 * 1024;

describe('the bundle for a browser', () => {
  const folder = mkdtempSync(join(tmpdir(), 'parley-client-'));
  afterAll(() => rmSync(folder, { recursive: true }));

  it('holds the SDK and constants of the protocol, and no other package', () => {
    const output = join(folder, 'client.js');
    const metafile = join(folder, 'meta.json');
    execFileSync(join('node_modules', '.bin', 'esbuild'), [
      'client/src/index.ts',
      '--bundle',
      '--minify',
      '--format=esm',
      '--platform=browser',
      '--target=es2022',
      '--conditions=parley-source',
      '--log-level=error',
      `--outfile=${output}`,
      `--metafile=${metafile}`,
    ]);
    const { outputs } = JSON.parse(readFileSync(metafile, 'utf8')) as {
      outputs: Record<string, { inputs: Record<string, { bytesInOutput: number }> }>;
    };
    const inputs = Object.entries(Object.values(outputs)[0]!.inputs)
      .filter(([, { bytesInOutput }]) => bytesInOutput > 0)
      .map(([path]) => path);
    expect(inputs).toContain('client/src/client.ts');
    expect(inputs.filter((path) => !path.startsWith('client/src/')).sort()).toEqual([
      'protocol/src/frames.ts',
      'protocol/src/limits.ts',
    ]);
    expect(gzipSync(readFileSync(output), { level: 9 }).length).toBeLessThan(GZIPPED_MAX_BYTES);
  });
});
