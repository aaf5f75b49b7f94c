import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { build, type BuildOptions, type Plugin } from 'esbuild';
import { bundleOptions } from '../../../lib/bundling/bundle.ts';
import type { FunctionDefinition } from '../../../local/assembly/functions.ts';
import { ORDERS_DIR } from './orders.ts';

/** Puts what obeys orders to fail around every function. */
function obedience(root: string): Plugin {
  return {
    name: 'obedience',
    setup: (building) =>
      building.onResolve({ filter: /^\.\/runtime\/lambda\.ts$/ }, () => ({
        path: join(root, 'test', 'faults', 'bundle', 'deployed.ts'),
      })),
  };
}

/**
 * Bundles the functions as they are deployed, but for obedience, into `outdir`. Answers how to make a deployed function one of these;
 * it takes its orders from `ordersDir`.
 */
export async function makeBundles(
  root: string,
  outdir: string,
  ordersDir: string,
): Promise<(definition: FunctionDefinition) => FunctionDefinition> {
  rmSync(outdir, { recursive: true, force: true });
  const options: BuildOptions = bundleOptions(root, outdir);
  const plugins = [obedience(root), ...(options.plugins ?? [])];
  const { metafile } = await build({ ...options, plugins });
  const made = new Set(Object.keys(metafile?.outputs ?? {}).map((file) => file.split('/').at(-2)));
  return (definition) => {
    const name = definition.name.split('-').at(-1) ?? '';
    if (!made.has(name)) return definition;
    const environment = { ...definition.environment, [ORDERS_DIR]: ordersDir };
    return { ...definition, codeDir: join(outdir, name), environment };
  };
}
