import { spawn } from 'node:child_process';
import { watch as watchFolder } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { FunctionDefinition } from '../assembly/functions.ts';

export interface WatchOptions {
  readonly root: string;
  /** Where new bundles go. */
  readonly outdir: string;
  readonly functions: Iterable<FunctionDefinition>;
  readonly replace: (functions: Iterable<FunctionDefinition>) => void;
  readonly log: (line: string) => void;
}

export interface Watching {
  /** Resolves when every change from now on is seen. */
  readonly ready: Promise<void>;
  close(): void;
}

type Message =
  { readonly bundled: Readonly<Record<string, string>>; readonly tookMs: number } | { readonly failed: string };

/**
 * Has the bundles made again whenever a source changes, and gives the changed ones to the runtime; a line says how long after the change. A change
 * of the infrastructure is only told of: it may change what engines hold.
 */
export function watchBundles({ root, outdir, functions, replace, log }: WatchOptions): Watching {
  const args = ['--conditions=parley-source', '--import', 'tsx', join('bin', 'watch-bundles.ts'), root, outdir];
  // It ends with its input, so with this process, however that ends.
  const child = spawn(process.execPath, args, { cwd: root, stdio: ['pipe', 'pipe', 'inherit'] });
  const definitions = [...functions];
  let isClosed = false;
  let settle = (): void => undefined;
  const ready = new Promise<void>((resolve) => (settle = resolve));
  createInterface({ input: child.stdout }).on('line', (line) => {
    const message = JSON.parse(line) as Message;
    settle();
    if ('failed' in message) {
      log(message.failed);
      return;
    }
    const changed = definitions.flatMap((definition) => {
      const name = definition.name.split('-').at(-1) ?? '';
      const codeDir = message.bundled[name];
      return codeDir === undefined ? [] : [{ ...definition, codeDir }];
    });
    if (changed.length === 0) return;
    replace(changed);
    log(`Swapped in ${message.tookMs} ms: ${changed.map(({ name }) => name).join(', ')}`);
  });
  child.on('error', (error) => log(`Sources are not watched: ${error.message}`));
  child.on('exit', (code) => {
    if (!isClosed) log(`Sources are not watched any more: the bundler ended with exit code ${code ?? 1}.`);
  });
  let isTold = false;
  const infrastructure = watchFolder(join(root, 'lib'), { recursive: true }, () => {
    if (isTold) return;
    isTold = true;
    log('The infrastructure has changed: stop this and start it again to run it.');
  });
  // Not everywhere can a whole tree be watched.
  infrastructure.on('error', () => undefined);
  return {
    ready,
    close: () => {
      isClosed = true;
      infrastructure.close();
      child.stdin.end();
      child.kill();
    },
  };
}
