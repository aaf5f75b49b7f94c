import { spawn } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { Explained } from './explained.ts';

/** All that the assembly is made from. */
const SOURCES = ['bin', 'lib', 'lambdas', 'protocol/src', 'package.json', 'package-lock.json'];
/** Beside the assembly: the context that it was made with. */
const CONTEXT_FILE = 'parley-context.json';
/** The issuer and the audience of tokens are this machine's; the runtime puts them in place of these. */
const CONTEXT = JSON.stringify({ stage: 'small', issuer: 'http://127.0.0.1', audience: 'parley' });
const SAID_MAX_CHARS = 2_000;

/** Synthesizes the app into `outdir` unless what lies there is newer than every source. Answers whether it did. @throws {Explained} */
export async function synthesizeIfStale(root: string, outdir: string, log: (line: string) => void): Promise<boolean> {
  if (!isStale(root, outdir)) return false;
  await synthesize(root, outdir, log);
  return true;
}

/** Whether a source is newer than what lies in `outdir`. */
export function isStale(root: string, outdir: string): boolean {
  const made = join(outdir, CONTEXT_FILE);
  if (!existsSync(made) || readFileSync(made, 'utf8') !== CONTEXT) return true;
  const madeAtMs = statSync(made).mtimeMs;
  return SOURCES.some((source) => newestOf(join(root, source)) >= madeAtMs);
}

/**
 * Synthesizes the app, bundles included. Another run that still uses the old assembly in `outdir` loses what has changed.
 * @throws {Explained} what the app said
 */
export async function synthesize(root: string, outdir: string, log: (line: string) => void): Promise<void> {
  const startedAtMs = Date.now();
  log('Synthesizing the app …');
  const making = `${outdir}.${process.pid}`;
  mkdirSync(dirname(outdir), { recursive: true });
  try {
    await runApp(root, making);
    writeFileSync(join(making, CONTEXT_FILE), CONTEXT);
    // Changed while it was made: the next start makes it again.
    utimesSync(join(making, CONTEXT_FILE), startedAtMs / 1_000, startedAtMs / 1_000);
    rmSync(outdir, { recursive: true, force: true });
    renameSync(making, outdir);
  } finally {
    rmSync(making, { recursive: true, force: true });
  }
  log(`Synthesized after ${((Date.now() - startedAtMs) / 1_000).toFixed(1)} s`);
}

function newestOf(path: string): number {
  if (!existsSync(path)) return 0;
  const stats = statSync(path);
  if (!stats.isDirectory()) return stats.mtimeMs;
  // A folder is newer than what was deleted from it.
  return Math.max(stats.mtimeMs, ...readdirSync(path).map((name) => newestOf(join(path, name))));
}

function runApp(root: string, outdir: string): Promise<void> {
  const args = ['--conditions=parley-source', '--import', 'tsx', join('bin', 'parley.ts')];
  const env = { ...process.env, CDK_OUTDIR: outdir, CDK_CONTEXT_JSON: CONTEXT, CDK_VALIDATION: 'false' };
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, args, { cwd: root, env, stdio: ['ignore', 'ignore', 'pipe'] });
    let said = '';
    child.stderr.on('data', (chunk: Buffer) => (said = (said + chunk.toString()).slice(-SAID_MAX_CHARS)));
    child.once('error', (error) => reject(new Explained(`The app could not be synthesized: ${error.message}`)));
    child.once('close', (code) => {
      if (code === 0) resolve();
      else reject(new Explained(`The app could not be synthesized (npx cdk synth shows it, too):\n${said.trim()}`));
    });
  });
}
