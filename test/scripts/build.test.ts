import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { hashSources } from '../../scripts/lib/hash.mjs';

describe('building what is stale', () => {
  const TIMEOUT_MS = 60_000;
  const lib = (name: string): string => pathToFileURL(`scripts/lib/${name}.mjs`).href;
  const FILES: Record<string, string> = {
    'package.json': '{"type":"module"}',
    'package-lock.json': '{}',
    'protocol/package.json': '{"name":"@parley/protocol","type":"module","exports":"./dist/index.js"}',
    'protocol/src/index.ts': 'export const answer: number = 42;',
    'client/package.json': '{"name":"@parley/client","type":"module","exports":"./dist/index.js"}',
    'client/src/index.ts': "import { answer } from '@parley/protocol'; export const twice: number = 2 * answer;",
    'web/index.html': '<!doctype html><title>Page</title><script type="module" src="./page.ts"></script>',
    'web/page.ts': 'document.title = String(1 as number);',
  };
  let root: string;

  const write = (path: string, text: string): void => {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  };
  const node = (program: string) =>
    spawnSync(process.execPath, ['--input-type=module', '-e', program], { cwd: root, encoding: 'utf8' });
  /** Builds, and gives what was printed, without times. */
  const build = (): string => {
    const { stdout, stderr } = node(
      `import { buildAll } from '${lib('build')}'; import { Progress } from '${lib('progress')}';
       await buildAll(${JSON.stringify(root)}, new Progress(process.stdout)).catch((error) => console.log(error.message));`,
    );
    return (stdout + stderr).replace(/ \d+\.\d s/g, '');
  };

  beforeAll(() => {
    root = mkdtempSync(join(tmpdir(), 'parley-build-'));
    for (const [path, text] of Object.entries(FILES)) write(path, text);
    mkdirSync(join(root, 'node_modules/@parley'), { recursive: true });
    for (const name of ['protocol', 'client'])
      symlinkSync(join(root, name), join(root, 'node_modules/@parley', name), 'junction');
  });
  afterAll(() => {
    rmSync(root, { recursive: true, force: true });
  });

  it(
    'builds everything once, then only what its sources have outgrown, and says what is wrong with them',
    () => {
      const libraries = 'Building the protocol and client …\nBuilding the protocol and client: done in\n';
      const web = 'Building the web client …\nBuilding the web client: done in\n';
      expect(build()).toBe(libraries + web);
      expect(build()).toBe('');

      const { stdout } = node("import { twice } from '@parley/client'; console.log(twice);");
      expect(stdout).toBe('84\n');

      write('web/page.ts', 'document.title = String(2 as number);');
      expect(build()).toBe(web);

      rmSync(join(root, 'web/dist'), { recursive: true });
      expect(build()).toBe(web);

      write('client/src/index.ts', 'export const twice = ;');
      const broken = build();
      expect(broken).toContain('The protocol and client cannot be built.');
      expect(broken).toContain('client/src/index.ts:1');

      write('client/src/index.ts', FILES['client/src/index.ts'] ?? '');
      expect(build()).toBe(libraries);
    },
    TIMEOUT_MS,
  );

  it('knows sources by their names and contents, and leaves out tests and builds', () => {
    const hash = (): string => hashSources(root, ['client', 'nowhere']);
    const before = hash();
    write('client/test/a.test.ts', 'any');
    write('client/dist/index.js', 'any');
    expect(hash()).toBe(before);
    write('client/src/more.ts', '');
    expect(hash()).not.toBe(before);
    rmSync(join(root, 'client/src/more.ts'));
    expect(hash()).toBe(before);
  });
});
