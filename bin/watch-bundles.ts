import { createHash } from 'node:crypto';
import { mkdirSync, watch, writeFileSync } from 'node:fs';
import { basename, dirname, join, relative } from 'node:path';
import { context, formatMessages, type OutputFile } from 'esbuild';
import { bundleOptions } from '../lib/bundling/bundle.ts';

/** Where the sources of the functions lie. */
const WATCHED = ['lambdas', 'protocol/src'];
/** An editor writes a file in several steps. */
const SETTLE_MS = 20;

/**
 * Bundles the functions again whenever a source changes, as `npm run start:engines -- --watch` asks for. Says what came of it in lines of JSON:
 * `{"bundled": {function: folder}, "tookMs": …}` with those that have changed, each time in a new folder, and how long after the first change they
 * lie there; or `{"failed": text}`. Ends with its input.
 */
async function main([root = '.', outdir = '']: string[]): Promise<void> {
  const hashes = new Map<string, string>();
  let builds = 0;
  /** Of the first change that no build has in it yet. */
  let changedAtMs: number | undefined;
  let buildOfMs = Date.now();
  const write = (files: readonly OutputFile[]): void => {
    builds++;
    const bundled: Record<string, string> = {};
    const ofFunction: Record<string, OutputFile[]> = {};
    for (const file of files) (ofFunction[dirname(relative(outdir, file.path))] ??= []).push(file);
    for (const [name, its] of Object.entries(ofFunction)) {
      const hash = createHash('sha256')
        .update(Buffer.concat(its.map(({ contents }) => contents)))
        .digest('hex');
      const before = hashes.get(name);
      hashes.set(name, hash);
      // The first build is only to know what the assembly holds already.
      if (before === hash || before === undefined) continue;
      const folder = join(outdir, String(builds), name);
      mkdirSync(folder, { recursive: true });
      for (const { path, contents } of its) writeFileSync(join(folder, basename(path)), contents);
      bundled[name] = folder;
    }
    say({ bundled, tookMs: Date.now() - buildOfMs });
  };
  const options = bundleOptions(root, outdir);
  const watching = await context({
    ...options,
    write: false,
    plugins: [
      ...options.plugins,
      {
        name: 'tell',
        setup: (build) => {
          build.onEnd(async ({ errors, outputFiles = [] }) => {
            if (errors.length === 0) write(outputFiles);
            else say({ failed: (await formatMessages(errors, { kind: 'error' })).join('').trim() });
          });
        },
      },
    ],
  });
  // One after the other: a change during a build is in the next one.
  let building: Promise<unknown> = Promise.resolve();
  const rebuild = (): void => {
    // Failures are told of by the plugin.
    building = building
      .then(() => {
        buildOfMs = changedAtMs ?? Date.now();
        changedAtMs = undefined;
        return watching.rebuild();
      })
      .catch(() => undefined);
  };
  rebuild();
  // esbuild's own watch looks every few seconds.
  let due: NodeJS.Timeout | undefined;
  for (const folder of WATCHED) {
    watch(join(root, folder), { recursive: true }, () => {
      changedAtMs ??= Date.now();
      clearTimeout(due);
      due = setTimeout(rebuild, SETTLE_MS);
    });
  }
  process.stdin.resume().on('end', () => process.exit(0));
}

function say(message: object): void {
  process.stdout.write(`${JSON.stringify(message)}\n`);
}

void main(process.argv.slice(2));
