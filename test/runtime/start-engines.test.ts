import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { removeAssemblies, smallestApp, writeAssembly } from '../assembly/assemblies.ts';
import { describeWith } from '../require.ts';
import { until } from './fixtures.ts';

const READY_MS = 150_000;
/** An engine may take ten seconds to end by itself. */
const GONE_MS = 20_000;

jest.setTimeout(180_000);

afterAll(removeAssemblies);

/** Runs the command; `stdout` and `stderr` grow while it runs. */
function run(args: string[], env: Record<string, string> = {}) {
  const child = spawn(
    process.execPath,
    ['--conditions=parley-source', '--import', 'tsx', 'local/start-engines/main.ts', ...args],
    { env: { ...process.env, PORT: '0', ...env }, stdio: ['ignore', 'pipe', 'pipe'] },
  );
  const said = { stdout: '', stderr: '' };
  child.stdout.on('data', (chunk: Buffer) => (said.stdout += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (said.stderr += chunk.toString()));
  const exit = once(child, 'close').then(([code]) => code as number);
  return { child, said, exit };
}

interface Descendant {
  readonly pid: number;
  readonly command: string;
}

/** The processes that a process has started, and those that they have. */
function descendantsOf(root: number): Descendant[] {
  const table = execFileSync('ps', ['-axww', '-o', 'pid=,ppid=,command='], { encoding: 'utf8', maxBuffer: 2 ** 26 });
  const rows = table.split('\n').flatMap((line) => {
    const [, pid, parent, command = ''] = /^\s*(\d+)\s+(\d+)\s+(.*)$/.exec(line) ?? [];
    return pid === undefined ? [] : [{ pid: Number(pid), parent: Number(parent), command }];
  });
  const found = new Set([root]);
  for (let before = 0; before < found.size;) {
    before = found.size;
    for (const { pid, parent } of rows) if (found.has(parent)) found.add(pid);
  }
  return rows.filter(({ pid, command }) => pid !== root && found.has(pid) && !command.startsWith('ps '));
}

function areGone(processes: readonly Descendant[]): boolean {
  return processes.every(({ pid }) => {
    try {
      process.kill(pid, 0);
      return false;
    } catch {
      return true;
    }
  });
}

describe('npm run start:engines, asked for what cannot be', () => {
  it.each([
    ['an unknown argument', ['--nonsense'], {}, /^There is no argument "--nonsense"\.\nUsage: /],
    ['a port that is none', [], { PORT: 'http' }, /^PORT must be a whole number from 0 to 65535\.$/],
    ['no assembly', ['--assembly', tmpdir()], {}, /no manifest\.json in here\. Synthesize first: npx cdk synth$/],
    [
      'an assembly that is watched',
      ['--assembly', '.', '--watch'],
      {},
      /^--watch goes with the assembly of this command only/,
    ],
  ])('says so before it starts anything: %s', async (_, args, env, message) => {
    const { said, exit } = run(args, env);
    expect(await exit).toBe(1);
    expect(said.stderr.trim()).toMatch(message);
    expect(said.stdout).toBe('');
  });

  it('names the port that is taken', async () => {
    const taken = createServer().listen(0, '127.0.0.1');
    await once(taken, 'listening');
    const { port } = taken.address() as AddressInfo;
    const { said, exit } = run(['--assembly', writeAssembly({ app: smallestApp() })], { PORT: String(port) });
    expect(await exit).toBe(1);
    expect(said.stderr.trim()).toBe(
      'The port is taken, perhaps by another Parley. Choose another one: PORT=8788 npm run start:engines',
    );
    taken.close();
  });
});

describeWith('engines', 'npm run start:engines', () => {
  const isReady = async ({ said, exit }: ReturnType<typeof run>): Promise<void> => {
    const ended = exit.then((code) => {
      throw new Error(`ended with ${code}: ${said.stderr}`);
    });
    await Promise.race([ended, until(() => said.stdout.includes('tokens  '), 'it is ready', READY_MS)]);
    ended.catch(() => undefined);
  };

  it('says where everything is, and ends with one line when an engine dies, leaving nothing behind', async () => {
    const started = run([]);
    await isReady(started);
    const { child, said, exit } = started;
    const url = /web client\s+(http:\S+)\//.exec(said.stdout)?.[1] ?? '';
    expect(await (await fetch(`${url}/healthz`)).json()).toEqual({ status: 'ready' });
    const processes = descendantsOf(child.pid ?? 0);
    const redis = processes.find(({ command }) => /^\S*redis-server /.test(command));
    process.kill(redis?.pid ?? 0, 'SIGKILL');
    expect(await exit).toBe(1);
    expect(said.stderr.trim()).toMatch(/^redis-server ended with exit code \d+: its log \S+ says why\.$/);
    await until(() => areGone(processes), 'nothing is left', GONE_MS);
  });

  it.each(['SIGINT', 'SIGKILL'] as const)('leaves nothing behind when it ends by %s', async (signal) => {
    const started = run([]);
    await isReady(started);
    const { child, said, exit } = started;
    const processes = descendantsOf(child.pid ?? 0);
    expect(processes.filter(({ command }) => command.includes('local/lambda/bootstrap.mjs')).length).toBeGreaterThan(5);
    child.kill(signal);
    const code = await exit;
    if (signal === 'SIGINT') expect({ code, stderr: said.stderr }).toEqual({ code: 0, stderr: '' });
    await until(() => areGone(processes), 'nothing is left', GONE_MS);
  });

  it('ends quietly when it is told to while it starts', async () => {
    const { child, said, exit } = run([]);
    await until(
      () => descendantsOf(child.pid ?? 0).some(({ command }) => command.includes('java')),
      'an engine has begun',
      READY_MS,
    );
    const processes = descendantsOf(child.pid ?? 0);
    child.kill('SIGTERM');
    expect(await exit).toBe(0);
    expect(said.stderr).toBe('');
    await until(() => areGone(processes), 'nothing is left', GONE_MS);
  });
});
