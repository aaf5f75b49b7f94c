import { execFile } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';

/** Every folder that holds sources of ours. */
export const SOURCE_FOLDERS = [
  'bin',
  'lib',
  'lambdas',
  'protocol',
  'client',
  'web',
  'local',
  'test',
  'bench',
  'scripts',
] as const;

/** Those that the picture of the structure shows: what runs, or makes what runs. */
const DRAWN: readonly string[] = SOURCE_FOLDERS.slice(0, 7);

export interface Violation {
  readonly rule: string;
  readonly from: string;
  readonly to: string;
}

export interface Arrows {
  /** Our own modules that were looked at, as paths relative to the root. */
  readonly modules: readonly string[];
  readonly imports: readonly { readonly from: string; readonly to: string }[];
  readonly violations: readonly Violation[];
}

interface CruiseResult {
  readonly modules: readonly {
    readonly source: string;
    readonly dependencies: readonly { readonly resolved: string }[];
  }[];
  readonly summary: {
    readonly violations: readonly {
      readonly rule: { readonly name: string };
      readonly from: string;
      readonly to: string;
    }[];
  };
}

const CRUISER = 'node_modules/dependency-cruiser/bin/dependency-cruise.mjs';
const OUTPUT_MAX_BYTES = 64 * 1024 * 1024;

/**
 * Reads every import of the source folders under `root`, and judges them by `.dependency-cruiser.cjs` of this repository.
 *
 * @param home the repository, whose rules and packages are used
 * @param root where the sources lie; the repository itself by default
 */
export async function readArrows(home: string, root = home): Promise<Arrows> {
  const folders = SOURCE_FOLDERS.filter((folder) => sourceFiles(root, folder).length > 0);
  const args = [resolve(home, CRUISER), '--config', resolve(home, '.dependency-cruiser.cjs'), '--output-type', 'json'];
  const { stdout } = await promisify(execFile)(process.execPath, [...args, ...folders], {
    cwd: root,
    maxBuffer: OUTPUT_MAX_BYTES,
  });
  const { modules, summary } = JSON.parse(stdout) as CruiseResult;
  const isOurs = (path: string): boolean =>
    SOURCE.test(path) && SOURCE_FOLDERS.some((folder) => path.startsWith(`${folder}/`));
  const ours = modules.filter((module) => isOurs(module.source));
  return {
    modules: ours.map((module) => module.source),
    imports: ours.flatMap((module) =>
      module.dependencies.map(({ resolved }) => ({ from: module.source, to: resolved })),
    ),
    violations: summary.violations.map(({ rule, from, to }) => ({ rule: rule.name, from, to })),
  };
}

const SOURCE = /\.(ts|tsx|mjs|cjs|js)$/;
const NOT_SOURCES = new Set(['node_modules', 'dist']);

/** The source files on the disk under one folder, as paths relative to the root. Empty where the folder does not exist. */
export function sourceFiles(root: string, folder: string): string[] {
  if (!existsSync(join(root, folder))) return [];
  return readdirSync(join(root, folder), { withFileTypes: true }).flatMap((item) => {
    const path = `${folder}/${item.name}`;
    if (item.isDirectory()) return NOT_SOURCES.has(item.name) ? [] : sourceFiles(root, path);
    return SOURCE.test(item.name) ? [path] : [];
  });
}

/** The arrows between whole folders as they are, drawn in Mermaid. Tests do not count. */
export function drawFolders({ modules, imports }: Arrows): string {
  const isProduct = (path: string): boolean => !/(^|\/)test\/|\.test\.tsx?$/.test(path);
  const folderOf = (path: string): string => path.slice(0, path.indexOf('/'));
  const folders = new Set(modules.filter(isProduct).map(folderOf));
  const nodes = DRAWN.filter((folder) => folders.has(folder));
  const arrows = new Set(
    imports
      .filter(({ from }) => isProduct(from))
      .map(({ from, to }) => [folderOf(from), folderOf(to)] as const)
      .filter(([from, to]) => from !== to && nodes.includes(from) && nodes.includes(to))
      .map(([from, to]) => `  ${from} --> ${to}`),
  );
  return ['```mermaid', 'graph LR', ...nodes.map((node) => `  ${node}["${node}/"]`), ...[...arrows].sort(), '```'].join(
    '\n',
  );
}
