import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { builtinModules } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import { newApp } from '../../lib/app.ts';
import { bundleFunctions, type Bundles } from '../../lib/bundling/bundle.ts';
import { deployParley } from '../../lib/deployment.ts';
import { FUNCTION_NAMES } from '../../lib/functions.ts';
import { STAGES } from '../../lib/stages.ts';
import { INPUT } from './harness.ts';

let folder: string;
let bundles: Bundles;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'parley-bundles-'));
  bundles = await bundleFunctions(process.cwd(), join(folder, 'bundles'));
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Every file below a folder, with its text. */
function filesOf(path: string): Record<string, string> {
  return Object.fromEntries(
    readdirSync(path, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map(({ parentPath, name }) => join(parentPath, name))
      .map((file) => [file.slice(path.length), readFileSync(file, 'utf8')]),
  );
}

function synthesize(outdir: string): Record<string, string> {
  const app = newApp(outdir);
  deployParley(app, STAGES.prod(INPUT), (name) => lambda.Code.fromAsset(bundles.folderOf(name)));
  app.synth();
  return filesOf(outdir);
}

describe('the bundles', () => {
  it('are one file for each function', () => {
    for (const name of FUNCTION_NAMES) expect(readdirSync(bundles.folderOf(name))).toEqual(['index.mjs']);
  });

  it('need nothing at run time but Node itself', () => {
    const outputs = Object.values(bundles.metafile.outputs);
    expect(outputs).toHaveLength(FUNCTION_NAMES.length);
    const outside = outputs.flatMap(({ imports }) => imports.map(({ path }) => path.replace('node:', '')));
    expect(outside.length).toBeGreaterThan(0);
    expect(outside.filter((path) => !builtinModules.includes(path) && path !== 'kerberos')).toEqual([]);
  });

  it('are the same bytes every time', async () => {
    const again = await bundleFunctions(process.cwd(), join(folder, 'again'));
    for (const name of FUNCTION_NAMES) expect(filesOf(again.folderOf(name))).toEqual(filesOf(bundles.folderOf(name)));
  });
});

describe('two syntheses', () => {
  it('are the same, byte for byte, the bundles included', () => {
    const [first, second] = ['first', 'second'].map((name) => synthesize(join(folder, name)));
    const files = Object.keys(first ?? {});
    expect(files.filter((file) => file.endsWith('.template.json'))).toHaveLength(5);
    expect(files.filter((file) => file.endsWith('index.mjs'))).toHaveLength(FUNCTION_NAMES.length);
    expect(second).toEqual(first);
  });
});
