import { existsSync } from 'node:fs';
import { join } from 'node:path';

const DEFAULT_PORT = 8787;

/** `npm start`: everything in this process, until it is told to stop. */
async function main(): Promise<void> {
  // The logger reads its level when it is loaded.
  process.env['POWERTOOLS_LOG_LEVEL'] ??= 'ERROR';
  const { startLocalApp } = await import('./embedded/app.ts');
  const port = portOf(process.env['PORT']);
  const webRoot = join(process.cwd(), 'web', 'dist');
  const app = await startLocalApp({ port, ...(existsSync(webRoot) && { webRoot }) });
  const since = Number(process.env['PARLEY_STARTED_AT_MS']);
  const took = since > 0 ? ` after ${((Date.now() - since) / 1_000).toFixed(1)} s` : '';
  print(`\nParley is ready${took}.\n`);
  print(`  web client   ${app.url}/`);
  print(`  WebSocket    ${app.socketUrl}`);
  print(`  tokens       POST ${app.url}/dev/token {"userId":"ana"}\n`);
  print('  Open the web client in two windows, choose two names, and chat.');
  print('  Messages live in memory, until you stop this with Ctrl+C.\n');
  const stop = (): void => {
    void app.close().then(() => process.exit(0));
  };
  process.once('SIGINT', stop);
  process.once('SIGTERM', stop);
}

function portOf(text: string | undefined): number {
  if (text === undefined || text === '') return DEFAULT_PORT;
  const port = Number(text);
  if (Number.isInteger(port) && port >= 0 && port <= 65_535) return port;
  throw new Explained('PORT must be a whole number from 0 to 65535.');
}

/** A failure that the person who typed the command can mend. */
class Explained extends Error {}

function explain(error: unknown): string {
  const { code } = error as { code?: string };
  if (code === 'EADDRINUSE') {
    const port = portOf(process.env['PORT']);
    return `Port ${port} is taken, perhaps by another Parley. Choose another one: PORT=${port + 1} npm start`;
  }
  if (code === 'EACCES')
    return 'This port needs rights that you do not have. Choose one above 1023: PORT=8788 npm start';
  return error instanceof Explained ? error.message : `Parley could not start: ${String(error)}`;
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

main().catch((error: unknown) => {
  process.stderr.write(`\n${explain(error)}\n`);
  process.exit(1);
});
