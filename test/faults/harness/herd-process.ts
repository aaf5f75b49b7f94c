import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import type { HerdFigures } from './herd.ts';
import { Random } from './random.ts';

/** `cutHerd` in a process of its own: the turns of 2,000 clients are to be theirs alone, and the engines' tools do not wait for them. */
export async function cutHerdElsewhere(size: number, seed: number): Promise<HerdFigures> {
  const args = [...process.execArgv, fileURLToPath(import.meta.url), String(size), String(seed)];
  // Each dead socket is a line.
  const env = { ...process.env, POWERTOOLS_LOG_LEVEL: 'SILENT' };
  const child = spawn(process.execPath, args, { env, stdio: ['ignore', 'pipe', 'pipe'] });
  const [said, complained] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'exit')]);
  try {
    return JSON.parse(said) as HerdFigures;
  } catch {
    throw new Error(`the herd ended early: ${complained || said}`);
  }
}

async function main(): Promise<void> {
  // Only here: whoever starts the process needs nothing of this.
  const { cutHerd } = await import('./herd.ts');
  const [size, seed] = process.argv.slice(2).map(Number);
  const random = new Random(seed ?? 0);
  const figures = await cutHerd(size ?? 0, () => random.next());
  process.stdout.write(JSON.stringify(figures));
}

// Not awaited: as CommonJS, as which tests load it, a file cannot await.
if (process.argv[1] === fileURLToPath(import.meta.url)) void main();
