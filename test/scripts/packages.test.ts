import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

jest.setTimeout(180_000);

/** As a program outside the repository does: without the condition that leads to our sources. */
const TSC = [
  '--ignoreConfig',
  '--noEmit',
  '--strict',
  '--target',
  'es2022',
  '--lib',
  'es2022,dom',
  '--module',
  'esnext',
  '--moduleResolution',
  'bundler',
];

describe('the packages to publish', () => {
  let folder: string;

  beforeAll(() => {
    const built = spawnSync(process.execPath, ['scripts/run.mjs', 'build'], { encoding: 'utf8' });
    expect(built.stderr).toBe('');
    expect(built.status).toBe(0);
    mkdirSync('.parley', { recursive: true });
    folder = mkdtempSync(join(process.cwd(), '.parley', 'outside-'));
  });

  afterAll(() => rmSync(folder, { recursive: true }));

  it('carry types that a program outside can rely on', () => {
    const file = join(folder, 'program.ts');
    writeFileSync(file, PROGRAM);
    const { stdout } = spawnSync(process.execPath, ['node_modules/typescript/bin/tsc', ...TSC, file], {
      encoding: 'utf8',
    });
    expect(stdout).toBe('');
  });
});

/** An error that is expected and does not come is an error too. */
const PROGRAM = `import { ParleyClient } from '@parley/client';
const client = new ParleyClient({ url: 'ws://127.0.0.1:1/local', token: () => Promise.resolve('') });
export const state: 'connecting' | 'online' | 'offline' | 'closed' = client.state;
// @ts-expect-error the body lacks clientMessageId and content
void client.request('message.send', { conversationId: 'c' });
// @ts-expect-error no such action
void client.request('no.action', {});
`;
