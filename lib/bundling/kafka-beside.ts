import { writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { build, type BuildOptions, type Plugin } from 'esbuild';

const CLIENT = '@platformatic/kafka';
/** The client's file, beside the bundle of every function that publishes. */
export const KAFKA_FILE = 'kafka.mjs';

/**
 * Leaves the Kafka client out of the bundles, and puts it in a file beside each that loads it: a function that seldom publishes starts
 * without it.
 * @param options how the client is bundled
 */
export function kafkaBeside(options: BuildOptions): Plugin {
  return {
    name: 'kafka-beside',
    setup: (plugged) => {
      const { absWorkingDir = '.', write } = plugged.initialOptions;
      // It changes with an installation only.
      const bundled = build({ ...options, entryPoints: { kafka: CLIENT }, write: false, metafile: true });
      bundled.catch(() => undefined);
      plugged.onResolve({ filter: new RegExp(`^${CLIENT}$`) }, () => ({ path: `./${KAFKA_FILE}`, external: true }));
      plugged.onEnd(async ({ metafile, outputFiles }) => {
        const { outputFiles: clients, metafile: clientMetafile } = await bundled;
        const [client, output] = [clients[0], Object.values(clientMetafile.outputs)[0]];
        if (!metafile || !client || !output) return;
        Object.assign(metafile.inputs, clientMetafile.inputs);
        for (const [file, { imports }] of Object.entries(metafile.outputs)) {
          if (!imports.some(({ path }) => path === `./${KAFKA_FILE}`)) continue;
          const beside = join(dirname(file), KAFKA_FILE);
          metafile.outputs[beside] = output;
          const path = join(absWorkingDir, beside);
          if (write === false) outputFiles?.push({ ...client, path, text: client.text });
          else writeFileSync(path, client.contents);
        }
      });
    },
  };
}
