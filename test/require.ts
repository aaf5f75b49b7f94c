import { existsSync } from 'node:fs';
import { findEngineTools } from '../local/engines/tools.ts';

/** What some tests need and not every machine has. */
interface Tool {
  /** Where it is, or `undefined`. */
  find(): string | undefined;
  readonly how: string;
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
} as const satisfies Record<string, Tool>;

/**
 * A `describe` for tests that need a tool: `body` gets its path. Where the tool is missing the tests are skipped and a line
 * says so, or, with `PARLEY_REQUIRE_ALL=1`, they fail.
 */
export function describeWith(name: keyof typeof TOOLS, title: string, body: (path: string) => void): void {
  const { find, how } = TOOLS[name];
  const path = find();
  if (path !== undefined) {
    describe(title, () => {
      body(path);
    });
    return;
  }
  const line = `NOT TESTED: "${title}" needs ${name}, which was not found. ${how}`;
  if (process.env['PARLEY_REQUIRE_ALL'] === '1') {
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
