import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

/** A folder for one test, with programs that stand for real ones. */
export interface Bench {
  readonly dir: string;
  readonly path: (name: string) => string;
  /** Writes a shell script and says where. */
  program(name: string, script: string): string;
  file(name: string, text: string): string;
  remove(): void;
}

export function makeBench(): Bench {
  const dir = mkdtempSync(join(tmpdir(), 'parley-engines-'));
  const path = (name: string): string => join(dir, name);
  const file = (name: string, text: string): string => {
    mkdirSync(dirname(path(name)), { recursive: true });
    writeFileSync(path(name), text);
    return path(name);
  };
  return {
    dir,
    path,
    file,
    program: (name, script) => {
      chmodSync(file(name, `#!/bin/sh\n${script}\n`), 0o755);
      return path(name);
    },
    remove: () => rmSync(dir, { recursive: true, force: true }),
  };
}

/** The processes whose command line holds `text`. */
export function processesWith(text: string): string[] {
  return execFileSync('ps', ['-axww', '-o', 'command'], { encoding: 'utf8', maxBuffer: 2 ** 26 })
    .split('\n')
    .filter((command) => command.includes(text));
}
