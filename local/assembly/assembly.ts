import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { AssemblyError } from './assembly-error.ts';
import type { Template } from './resolver.ts';

export interface StackTemplate {
  readonly stackName: string;
  readonly template: Template;
  /** Folder of each file asset, by its object key (`{hash}.zip`). */
  readonly assets: ReadonlyMap<string, string>;
}

interface Artifact {
  readonly type?: string;
  readonly displayName?: string;
  readonly properties?: { readonly templateFile?: string; readonly stackName?: string; readonly file?: string };
}

interface AssetManifest {
  readonly files?: Readonly<
    Record<
      string,
      {
        readonly source?: { readonly path?: string };
        readonly destinations?: Readonly<Record<string, { readonly objectKey?: string }>>;
      }
    >
  >;
}

/**
 * The stacks of a synthesized app, in the order of its manifest, which is an order of deployment.
 * @throws {AssemblyError}
 */
export function readAssembly(folder: string): StackTemplate[] {
  if (!existsSync(join(folder, 'manifest.json'))) {
    throw new AssemblyError(folder, 'no manifest.json in here. Synthesize first: npx cdk synth');
  }
  const artifacts = Object.entries(
    (readJson(folder, 'manifest.json') as { artifacts?: Record<string, Artifact> }).artifacts ?? {},
  );
  const assets = new Map<string, string>();
  for (const [, { type, properties }] of artifacts) {
    if (type === 'cdk:asset-manifest' && properties?.file !== undefined) addAssets(assets, folder, properties.file);
  }
  const stacks = artifacts.flatMap(([id, { type, properties }]): StackTemplate[] => {
    if (type !== 'aws:cloudformation:stack' || properties?.templateFile === undefined) return [];
    const template = readJson(folder, properties.templateFile) as Template;
    return [{ stackName: properties.stackName ?? id, template, assets }];
  });
  if (stacks.length === 0) throw new AssemblyError(join(folder, 'manifest.json'), 'holds no stack. Synthesize again.');
  return stacks;
}

function addAssets(assets: Map<string, string>, folder: string, file: string): void {
  for (const { source, destinations = {} } of Object.values((readJson(folder, file) as AssetManifest).files ?? {})) {
    if (source?.path === undefined) continue;
    for (const { objectKey } of Object.values(destinations)) {
      if (objectKey !== undefined) assets.set(objectKey, resolve(folder, source.path));
    }
  }
}

function readJson(folder: string, file: string): unknown {
  const path = join(folder, file);
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch (error) {
    const missing = (error as { code?: string }).code === 'ENOENT';
    throw new AssemblyError(path, missing ? 'is missing. Synthesize again.' : `is no JSON (${String(error)}).`);
  }
}
