import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';

/** A running Parley, as whoever types `npm start` has it. */
export interface Parley {
  /** Without a slash at the end. */
  readonly url: string;
  readonly socketUrl: string;
  token(userId: string, name?: string): Promise<string>;
  stop(): Promise<void>;
}

const READY_LINE = /web client\s+(http:\/\/\S+?)\/?$/;

/** Uses what runs at `PARLEY_URL`; without it, starts the product on a free port, on embedded stores or on engines. */
export async function startParley(command: 'start' | 'start:engines' = 'start'): Promise<Parley> {
  const given = process.env['PARLEY_URL']?.replace(/\/$/, '');
  if (given !== undefined && given !== '') return parleyAt(given, () => Promise.resolve());
  const child = spawn(process.execPath, ['scripts/run.mjs', command], {
    env: { ...process.env, PORT: '0' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const url = await readyUrl(child);
  return parleyAt(url, async () => {
    child.kill('SIGTERM');
    if (child.exitCode === null) await once(child, 'exit');
  });
}

function parleyAt(url: string, stop: () => Promise<void>): Parley {
  const token = async (userId: string, name?: string): Promise<string> => {
    const response = await fetch(`${url}/dev/token`, { method: 'POST', body: JSON.stringify({ userId, name }) });
    return ((await response.json()) as { token: string }).token;
  };
  return { url, socketUrl: `${url.replace(/^http/, 'ws')}/local`, token, stop };
}

async function readyUrl(child: ChildProcess): Promise<string> {
  const said: string[] = [];
  child.stderr!.on('data', (chunk: Buffer) => said.push(chunk.toString()));
  for await (const line of createInterface({ input: child.stdout! })) {
    said.push(`${line}\n`);
    const url = READY_LINE.exec(line)?.[1];
    if (url !== undefined) {
      child.stdout!.resume();
      return url;
    }
  }
  throw new Error(`Parley did not start:\n${said.join('')}`);
}
