import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { npmCommand } from '../../scripts/lib/child.mjs';
import { ensureInstalled, satisfies, stampOf } from '../../scripts/lib/install.mjs';
import { Progress } from '../../scripts/lib/progress.mjs';

/** Stands in for npm: notes its arguments, and fails when it is told to. */
const FAKE_NPM = `
const { appendFileSync, existsSync, mkdirSync } = require('node:fs');
appendFileSync('calls.txt', process.argv.slice(2).join(' ') + '\\n');
if (existsSync('broken')) { console.error('npm error: no route to the registry'); process.exit(3); }
mkdirSync('node_modules', { recursive: true });
`;

describe('installing the packages', () => {
  let root: string;
  let printed: string;
  const progress = new Progress({ write: (text: string) => (printed += text) });
  const calls = (): string[] =>
    existsSync(join(root, 'calls.txt')) ? readFileSync(join(root, 'calls.txt'), 'utf8').trim().split('\n') : [];
  const before = process.env['npm_execpath'];

  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'parley-install-'));
    printed = '';
    mkdirSync(join(root, 'npm'));
    writeFileSync(join(root, 'npm', 'npm-cli.js'), FAKE_NPM);
    writeFileSync(join(root, 'package-lock.json'), '{}');
    process.env['npm_execpath'] = join(root, 'npm', 'npm-cli.js');
  });
  afterEach(() => {
    if (before === undefined) delete process.env['npm_execpath'];
    else process.env['npm_execpath'] = before;
    rmSync(root, { recursive: true, force: true });
  });

  it('for a start takes only what running needs, runs no install script, and says how long it took', async () => {
    await ensureInstalled(root, 'production', progress);
    expect(calls()).toEqual(['ci --ignore-scripts --omit=dev']);
    expect(printed).toMatch(/^Installing the packages .* …\n.*done in \d+\.\d s\n$/);
  });

  it('happens once for the same lock file', async () => {
    await ensureInstalled(root, 'full', progress);
    await ensureInstalled(root, 'full', progress);
    expect(calls()).toHaveLength(1);
  });

  it('happens again when the lock file changed', async () => {
    await ensureInstalled(root, 'full', progress);
    writeFileSync(join(root, 'package-lock.json'), '{"changed":true}');
    await ensureInstalled(root, 'full', progress);
    expect(calls()).toHaveLength(2);
  });

  it('happens again when node_modules was removed', async () => {
    await ensureInstalled(root, 'full', progress);
    rmSync(join(root, 'node_modules'), { recursive: true });
    await ensureInstalled(root, 'full', progress);
    expect(calls()).toHaveLength(2);
  });

  it('of everything serves a start too, but not the other way round', async () => {
    await ensureInstalled(root, 'production', progress);
    await ensureInstalled(root, 'full', progress);
    await ensureInstalled(root, 'production', progress);
    expect(calls()).toEqual(['ci --ignore-scripts --omit=dev', 'ci --ignore-scripts']);
  });

  it('shows the words of npm when it fails, and is tried again the next time', async () => {
    await ensureInstalled(root, 'full', progress);
    writeFileSync(join(root, 'package-lock.json'), '{"changed":true}');
    writeFileSync(join(root, 'broken'), '');
    await expect(ensureInstalled(root, 'full', progress)).rejects.toThrow(
      /no route to the registry[^]*exit code 3[^]*again/,
    );
    rmSync(join(root, 'broken'));
    writeFileSync(join(root, 'package-lock.json'), '{}');
    await ensureInstalled(root, 'full', progress);
    expect(calls()).toHaveLength(3);
  });
});

describe('the stamp of an installation', () => {
  it('differs by lock file and by set', () => {
    const stamps = [stampOf('full', 'a'), stampOf('full', 'b'), stampOf('production', 'a')];
    expect(new Set(stamps).size).toBe(3);
    expect(stampOf('full', 'a')).toBe(stamps[0]);
  });

  it('that is empty satisfies nothing', () => {
    expect(satisfies('', stampOf('production', 'a'))).toBe(false);
  });
});

describe('npm is called', () => {
  it('as the npm that runs the command, on every system', () => {
    const found = npmCommand('win32', 'C:\\nodejs\\node_modules\\npm\\bin\\npm-cli.js', 'node.exe');
    expect(found).toEqual({
      command: 'node.exe',
      prefix: ['C:\\nodejs\\node_modules\\npm\\bin\\npm-cli.js'],
      shell: false,
    });
  });

  it('from the path when another tool, or none, runs the command', () => {
    expect(npmCommand('linux', '/opt/yarn/yarn.js', 'node')).toEqual({ command: 'npm', prefix: [], shell: false });
    expect(npmCommand('linux', undefined, 'node')).toEqual({ command: 'npm', prefix: [], shell: false });
  });

  it('through a shell on Windows, where it is a batch file', () => {
    expect(npmCommand('win32', undefined, 'node.exe')).toEqual({ command: 'npm', prefix: [], shell: true });
  });
});
