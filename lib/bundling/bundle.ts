import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { build, type BuildOptions, type Metafile } from 'esbuild';
import { FUNCTION_NAMES, type FunctionName } from '../functions.ts';
import { kafkaBeside } from './kafka-beside.ts';
import { standIns } from './stand-ins.ts';

/** CommonJS packages inside the bundle ask for `require`, which ESM has not. */
const BANNER = `import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);`;

/** How a function is called within its bundle. */
export const HANDLER = 'index.handler';

export interface Bundles {
  /** The folder of a function's bundle: `index.mjs`, and `kafka.mjs` where it publishes. */
  readonly folderOf: (name: FunctionName) => string;
  /** What went into each. */
  readonly metafile: Metafile;
}

/** How the functions are bundled: the same sources give the same bytes; nothing is left to be found at run time, the AWS SDK included. */
export function bundleOptions(root: string, outdir: string) {
  const options = {
    absWorkingDir: root,
    outdir,
    outExtension: { '.js': '.mjs' },
    bundle: true,
    minify: true,
    format: 'esm',
    platform: 'node',
    target: 'node24',
    mainFields: ['module', 'main'],
    conditions: ['parley-source', 'module'],
    banner: { js: BANNER },
    // Asked for by the Cassandra driver for a kind of log-in that nobody uses here.
    external: ['kerberos'],
    legalComments: 'none',
    metafile: true,
    logLevel: 'silent',
    plugins: [standIns()],
  } satisfies BuildOptions;
  const entryPoints = Object.fromEntries(FUNCTION_NAMES.map((name) => [`${name}/index`, `lambdas/${name}.ts`]));
  return { ...options, entryPoints, plugins: [...options.plugins, kafkaBeside(options)] };
}

/**
 * Bundles every function, in this process and at once.
 * @param root the repository
 * @param outdir whatever lies there is removed
 * @throws esbuild's failure, which names file and line
 */
export async function bundleFunctions(root: string, outdir: string): Promise<Bundles> {
  rmSync(outdir, { recursive: true, force: true });
  const { metafile } = await build(bundleOptions(root, outdir));
  return { folderOf: (name) => join(outdir, name), metafile };
}
