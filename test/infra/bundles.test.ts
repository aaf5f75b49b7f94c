import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { builtinModules } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import { BUDGETS } from '../../bench/functions.ts';
import { ENV } from '../../lambdas/runtime/env.ts';
import { newApp } from '../../lib/app.ts';
import { bundleFunctions, type Bundles } from '../../lib/bundling/bundle.ts';
import { STAND_INS } from '../../lib/bundling/stand-ins.ts';
import { deployParley } from '../../lib/deployment.ts';
import { FUNCTION_NAMES, type FunctionName } from '../../lib/functions.ts';
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

/** Starts a bundle as Lambda does, in a process of its own, and gives it an event that no function answers with more than a status. */
function start(folder: string) {
  const program = `const { handler } = await import(${JSON.stringify(pathToFileURL(join(folder, 'index.mjs')).href)}); console.log(JSON.stringify(await handler({})))`;
  const env = {
    ...Object.fromEntries(Object.values(ENV).map((name) => [name, 'localhost:1'])),
    [ENV.logLevel]: 'SILENT',
    AWS_REGION: 'eu-west-1',
    AWS_LAMBDA_FUNCTION_NAME: 'test',
  };
  return spawnSync(process.execPath, ['--input-type=module', '-e', program], { encoding: 'utf8', env });
}

describe('the bundles', () => {
  it('are one file for each function, beside the Kafka client where it publishes', () => {
    const publishes = (name: FunctionName): boolean => {
      const output = Object.entries(bundles.metafile.outputs).find(([path]) => path.endsWith(`/${name}/index.mjs`));
      return 'lambdas/ports/event-stream/kafka.ts' in (output?.[1].inputs ?? {});
    };
    for (const name of FUNCTION_NAMES) {
      expect(readdirSync(bundles.folderOf(name))).toEqual(publishes(name) ? ['index.mjs', 'kafka.mjs'] : ['index.mjs']);
    }
    expect(FUNCTION_NAMES.filter(publishes)).toEqual(expect.arrayContaining(['send', 'heartbeat']));
    expect(FUNCTION_NAMES.filter((name) => !publishes(name))).toEqual(expect.arrayContaining(['connect', 'deliver']));
  });

  it.each(Object.entries(BUDGETS))('keep the budget of %s', (name, { kilobytes, startsWith }) => {
    const sizes = startsWith.map((file) => statSync(join(bundles.folderOf(name as FunctionName), file)).size);
    expect(sizes.reduce((sum, size) => sum + size)).toBeLessThanOrEqual(kilobytes * 1_000);
  });

  it('start with all of it when they publish with every call, and without the Kafka client when they seldom do', () => {
    const alone = (name: FunctionName): string => {
      const copy = join(folder, 'alone', name);
      cpSync(bundles.folderOf(name), copy, { recursive: true });
      rmSync(join(copy, 'kafka.mjs'));
      return copy;
    };
    expect(start(alone('heartbeat')).stdout).toContain('"statusCode":400');
    expect(start(alone('send')).stderr).toContain('kafka.mjs');
    for (const name of ['heartbeat', 'send'] as const) {
      expect(start(bundles.folderOf(name)).stdout).toContain('"statusCode":400');
    }
  });

  it.each(Object.keys(STAND_INS))('have a use for what stands in for %s', (file) => {
    const inputs = Object.keys(bundles.metafile.inputs);
    expect(inputs.filter((path) => path.endsWith(`node_modules/${file}`))).toHaveLength(1);
  });

  it('need nothing at run time but Node itself', () => {
    const outputs = Object.values(bundles.metafile.outputs);
    expect(outputs.length).toBeGreaterThanOrEqual(FUNCTION_NAMES.length);
    const outside = outputs.flatMap(({ imports }) => imports.map(({ path }) => path.replace('node:', '')));
    expect(outside.length).toBeGreaterThan(0);
    const inside = ['kerberos', './kafka.mjs'];
    expect(outside.filter((path) => !builtinModules.includes(path) && !inside.includes(path))).toEqual([]);
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
