import { readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Plugin } from 'esbuild';

/** What stands in for a file of a package: its own text, or what is made of the original. */
type StandIn = string | ((original: string) => string);

const NOTHING = 'module.exports = {};';

/** Files below `node_modules` that serve features which nobody uses here, or need much room for little: two fifths of what `send` would load. */
export const STAND_INS: Readonly<Record<string, StandIn>> = {
  // Graphs, shapes on the earth, searches, an object mapper, DataStax's cloud and its telemetry. Types stay, for values that never are one.
  'cassandra-driver/lib/concurrent/index.js': NOTHING,
  'cassandra-driver/lib/datastax/index.js': NOTHING,
  'cassandra-driver/lib/datastax/cloud/index.js': 'exports.init = () => Promise.resolve();',
  'cassandra-driver/lib/datastax/graph/graph-executor.js': 'module.exports = class {};',
  'cassandra-driver/lib/datastax/search/index.js': 'exports.DateRange = class {};',
  'cassandra-driver/lib/geometry/index.js':
    'exports.Geometry = class {}; exports.LineString = class {}; exports.Point = class {}; exports.Polygon = class {};',
  'cassandra-driver/lib/insights-client.js': 'module.exports = class { init() {} shutdown() {} };',
  'cassandra-driver/lib/mapping/index.js': NOTHING,

  // A producer, and what it asks brokers for: no consumer, no administration, no registries of schemas.
  '@platformatic/kafka/dist/index.js': `
    export { ProduceAcks } from './apis/enumerations.js';
    export { compatibilityPartitioner } from './clients/producer/partitioners.js';
    export { Producer } from './clients/producer/producer.js';
    export { stringSerializers } from './clients/serde.js';`,
  '@platformatic/kafka/dist/apis/admin/index.js': 'export {};',
  '@platformatic/kafka/dist/apis/consumer/index.js': 'export {};',
  '@platformatic/kafka/dist/apis/telemetry/index.js': 'export {};',
  // The check of its own options, which ours are typed for.
  'ajv/dist/2020.js': `
    exports.Ajv2020 = class { addKeyword() { return this; } compile() { return () => true; } errorsText() { return ''; } };`,
  // Checksums by a table instead of 77 KB of WebAssembly, which compresses, too: records are published as they are.
  '@platformatic/kafka/dist/protocol/crc32c.js': (original) =>
    original
      .replace("import { crc32c as wasmCRC32C } from '@platformatic/wasm-utils';", '')
      .replace('export const crc32c = loadNativeCRC32C() ?? wasmCRC32C;', 'export { jsCRC32C as crc32c };'),
  '@platformatic/wasm-utils/dist/index.js': `
    const refuse = () => { throw new Error('Records are published without compression.'); };
    export { refuse as lz4Compress, refuse as lz4Decompress, refuse as snappyCompress, refuse as snappyDecompress };`,
  // Of a library of collections, the one that is used.
  'mnemonist/index.mjs': `import LRUCache from './lru-cache.js'; export { LRUCache };`,

  // Sentinels, which no cluster has, subscriptions, which nobody makes, and traces that nobody reads.
  'iovalkey/built/connectors/SentinelConnector/index.js': 'exports.default = class {};',
  'iovalkey/built/cluster/ClusterSubscriber.js':
    'exports.default = class { getInstance() { return null; } start() {} stop() {} };',
  'lodash.defaults/index.js': `
    module.exports = (target, ...sources) => {
      for (const source of sources) for (const key in source) if (target[key] === undefined) target[key] = source[key];
      return target;
    };`,
  'debug/src/index.js': `
    module.exports = () => Object.assign(() => {}, { enabled: false });
    module.exports.default = module.exports;`,
  '@iovalkey/commands/dist/commands.json': compactCommands,
};

/** Puts the stand-ins in place. A new version of a package may have moved a file: test/infra/bundles.test.ts finds every one of them in use. */
export function standIns(): Plugin {
  return {
    name: 'stand-ins',
    setup: (plugged) => {
      for (const [file, standIn] of Object.entries(STAND_INS)) {
        const filter = new RegExp(`/node_modules/${file}$`.replaceAll('.', '\\.').replaceAll('/', '[\\\\/]'));
        plugged.onLoad({ filter }, ({ path }) => {
          const contents = typeof standIn === 'string' ? standIn : standIn(readFileSync(path, 'utf8'));
          return { contents, loader: 'js', resolveDir: dirname(path) };
        });
      }
    },
  };
}

interface Command {
  readonly flags: readonly string[];
  readonly keyStart: number;
  readonly keyStop: number;
  readonly step: number;
}

/** The table of all commands, by what the client asks of it: where their keys are, and two flags. */
function compactCommands(json: string): string {
  const namesOf: Record<string, string[]> = {};
  for (const [name, { flags, keyStart, keyStop, step }] of Object.entries(
    JSON.parse(json) as Record<string, Command>,
  )) {
    const kind = [flags.filter((flag) => USED_FLAGS.includes(flag)).join(' '), keyStart, keyStop, step].join();
    (namesOf[kind] ??= []).push(name);
  }
  return `
    for (const [kind, names] of Object.entries(${JSON.stringify(namesOf)})) {
      const [flags, keyStart, keyStop, step] = kind.split(',');
      const command = { flags: flags.split(' '), keyStart: +keyStart, keyStop: +keyStop, step: +step };
      for (const name of names) exports[name] = command;
    }`;
}

const USED_FLAGS = ['readonly', 'loading'];
