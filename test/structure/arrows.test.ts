import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { drawFolders, readArrows, SOURCE_FOLDERS, sourceFiles, type Arrows } from '../../scripts/lib/arrows.ts';

const HOME = process.cwd();
/** Reading the imports of everything takes a process of its own. */
const TIMEOUT_MS = 60_000;

describe('the arrows between the folders', () => {
  let arrows: Arrows;
  beforeAll(async () => {
    arrows = await readArrows(HOME);
  }, TIMEOUT_MS);

  it('are only those of docs/architecture.md', () => {
    expect(arrows.violations).toEqual([]);
    expect(arrows.imports.length).toBeGreaterThan(arrows.modules.length / 2);
  });

  it.each(SOURCE_FOLDERS)('were read from every source file of %s/', (folder) => {
    const seen = arrows.modules.filter((module) => module.startsWith(`${folder}/`));
    expect([...seen].sort()).toEqual(sourceFiles(HOME, folder).sort());
  });

  it.each(['protocol', 'client', 'web', 'lambdas', 'local', 'test', 'scripts'])(
    'were read in %s/, which is not empty',
    (folder) => {
      expect(arrows.modules.some((module) => module.startsWith(`${folder}/`))).toBe(true);
    },
  );

  it('lead from one folder to the sources of a workspace, not to its build', () => {
    const into = arrows.imports.filter(({ to }) => /(^|\/)(protocol|client)\/(src|dist)\//.test(to));
    expect(into.some(({ from }) => from.startsWith('lambdas/'))).toBe(true);
    expect(into.filter(({ to }) => !/^(protocol|client)\/src\//.test(to))).toEqual([]);
  });
});

describe('an arrow that no rule allows', () => {
  const PLANTED: Record<string, string> = {
    'protocol/src/index.ts': "import '../../lambdas/send.ts';",
    'protocol/src/ids.ts': '',
    'client/src/index.ts': "import '../../web/src/page.ts';",
    'client/src/deep.ts': "import '../../protocol/src/ids.ts';",
    'web/src/page.ts': "import '../../local/main.ts';",
    'web/src/deep.ts': "import '../../client/src/deep.ts';",
    'lambdas/send.ts': "import type { Stages } from '../lib/stages.ts'; export type S = Stages;",
    'lambdas/cdk.ts': "import 'aws-cdk-lib';",
    'lambdas/runtime/env.ts': '',
    'lambdas/ring-a.ts': "import './ring-b.ts';",
    'lambdas/ring-b.ts': "import './ring-a.ts';",
    'lambdas/table.ts': "import './row.ts'; export type Row = 1;",
    'lambdas/row.ts': "import type { Row } from './table.ts'; export const row: Row = 1;",
    'lambdas/lost.ts': "import './nowhere.ts';",
    'lambdas/tool.ts': "import 'a-tool';",
    'lambdas/tested.ts': "import '../test/helper.ts';",
    'local/main.ts': "import '../lib/stages.ts';",
    'lib/stages.ts': "import '../lambdas/runtime/env.ts'; export interface Stages { a: 1 }",
    'lib/stack.ts': "import '../lambdas/cdk.ts';",
    'bin/parley.ts': "import '../lambdas/runtime/env.ts'; import '../lib/stages.ts';",
    'test/helper.ts': "import '../lambdas/runtime/env.ts'; import '../lib/stages.ts';",
    'package.json': '{"name":"planted","devDependencies":{"a-tool":"1.0.0","aws-cdk-lib":"1.0.0"}}',
    'node_modules/a-tool/package.json': '{"name":"a-tool","version":"1.0.0","main":"index.js"}',
    'node_modules/a-tool/index.js': '',
    'node_modules/aws-cdk-lib/package.json': '{"name":"aws-cdk-lib","version":"1.0.0","main":"index.js"}',
    'node_modules/aws-cdk-lib/index.js': '',
  };

  let root: string;
  let found: string[];
  beforeAll(async () => {
    root = mkdtempSync(join(tmpdir(), 'parley-arrows-'));
    for (const [path, text] of Object.entries(PLANTED)) {
      mkdirSync(dirname(join(root, path)), { recursive: true });
      writeFileSync(join(root, path), `${text}\n`);
    }
    const { violations } = await readArrows(HOME, root);
    found = violations.map(({ rule, from, to }) => `${from} → ${to}: ${rule}`);
  }, TIMEOUT_MS);
  afterAll(() => {
    rmSync(root, { recursive: true, force: true });
  });

  const EXPECTED = [
    'protocol/src/index.ts → lambdas/send.ts: protocol imports only itself',
    'client/src/index.ts → web/src/page.ts: client imports only protocol/',
    'client/src/deep.ts → protocol/src/ids.ts: protocol is used through what its package.json exports',
    'web/src/page.ts → local/main.ts: web imports only client/, protocol/',
    'web/src/deep.ts → client/src/deep.ts: client is used through what its package.json exports',
    'lambdas/send.ts → lib/stages.ts: lambdas imports only protocol/',
    'local/main.ts → lib/stages.ts: local imports only lambdas/, protocol/',
    'lib/stack.ts → lambdas/cdk.ts: lib imports only protocol/, lambdas/runtime/env.ts',
    'bin/parley.ts → lambdas/runtime/env.ts: bin imports only lib/, protocol/',
    'lambdas/cdk.ts → node_modules/aws-cdk-lib/index.js: no CDK at run time',
    'lambdas/cdk.ts → node_modules/aws-cdk-lib/index.js: what runs needs no development package',
    'lambdas/tool.ts → node_modules/a-tool/index.js: what runs needs no development package',
    'lambdas/tested.ts → test/helper.ts: nothing builds on tests or tools',
    'lambdas/lost.ts → ./nowhere.ts: every import leads somewhere',
    'lambdas/ring-a.ts → lambdas/ring-b.ts: no cycles',
  ];

  it.each(EXPECTED)('is found: %s', (violation) => {
    expect(found).toContain(violation);
  });

  it('is all that is found: what the rules allow passes', () => {
    expect(found.filter((violation) => !EXPECTED.includes(violation))).toEqual([]);
  });
});

describe('the picture of the structure', () => {
  it('shows the arrows between product folders, once each, without tests and tools', () => {
    const picture = drawFolders({
      modules: ['web/src/a.ts', 'client/src/index.ts', 'client/test/b.test.ts', 'test/c.test.ts', 'local/main.ts'],
      imports: [
        { from: 'web/src/a.ts', to: 'client/src/index.ts' },
        { from: 'web/src/b.ts', to: 'client/src/index.ts' },
        { from: 'client/test/b.test.ts', to: 'local/main.ts' },
        { from: 'test/c.test.ts', to: 'local/main.ts' },
      ],
      violations: [],
    });
    expect(picture.split('\n')).toEqual([
      '```mermaid',
      'graph LR',
      '  client["client/"]',
      '  web["web/"]',
      '  local["local/"]',
      '  web --> client',
      '```',
    ]);
  });
});
