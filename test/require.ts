import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findEngineTools } from '../local/engines/tools.ts';

/** What some tests need and not every machine has. */
interface Tool {
  /** Where it is, or `undefined`. */
  readonly find: () => string | undefined;
  readonly how: string;
  /** Not even CI has it on every machine: its absence never fails. */
  readonly isRare?: boolean;
}

const TOOLS = {
  chromium: {
    find: () => {
      const chosen = process.env['CHROMIUM'];
      if (chosen) return existsSync(chosen) ? chosen : undefined;
      return [
        '/usr/bin/chromium',
        '/usr/bin/chromium-browser',
        '/usr/bin/google-chrome',
        '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
        '/Applications/Chromium.app/Contents/MacOS/Chromium',
        'C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe',
      ].find((path) => existsSync(path));
    },
    how: 'Install it (apt-get install chromium), or set CHROMIUM to the path of a Chromium or Chrome.',
  },
  engines: {
    find: () => (findEngineTools().missing.length === 0 ? 'engines' : undefined),
    get how() {
      return findEngineTools().missing.join(' ');
    },
  },
  mounts: { find: findMounts, how: 'Run the tests as root, where file systems may be mounted.', isRare: true },
} as const satisfies Record<string, Tool>;

/** Whether a file system can be mounted, by doing it. */
function findMounts(): string | undefined {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return undefined;
  const dir = mkdtempSync(join(tmpdir(), 'parley-mount-'));
  try {
    if (spawnSync('mount', ['-t', 'tmpfs', 'tmpfs', dir]).status !== 0) return undefined;
    return spawnSync('umount', [dir]).status === 0 ? 'mount' : undefined;
  } finally {
    rmdirSync(dir);
  }
}

/**
 * A `describe` for tests that need a tool: `body` gets its path. Where the tool is missing the tests are skipped and a line
 * says so, or, with `PARLEY_REQUIRE_ALL=1`, they fail, unless the tool is rare.
 */
export function describeWith(name: keyof typeof TOOLS, title: string, body: (path: string) => void): void {
  const { find, how, isRare = false }: Tool = TOOLS[name];
  const path = find();
  if (path !== undefined) {
    describe(title, () => {
      body(path);
    });
    return;
  }
  const line = `NOT TESTED: "${title}" needs ${name}, which was not found. ${how}`;
  if (process.env['PARLEY_REQUIRE_ALL'] === '1' && !isRare) {
    describe(title, () => {
      it(`has ${name}`, () => {
        throw new Error(line);
      });
    });
    return;
  }
  process.stderr.write(`\n*** ${line}\n\n`);
  describe.skip(title, () => {
    body('');
  });
}
