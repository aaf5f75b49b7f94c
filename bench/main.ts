import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { printTable, type Figure } from './figures.ts';
import { deliver } from './deliver.ts';
import { functions } from './functions.ts';
import { hotConversation } from './hot-conversation.ts';
import { onEngines } from './on-engines.ts';
import { fanOut, idle, latency, throughput, type Peers } from './scenarios.ts';
import { findEngineTools } from '../local/engines/tools.ts';
import { ServerProcess } from './server-process.ts';
import { synth } from './synth.ts';

const SCENARIOS = { latency, 'fan-out': fanOut, throughput, 'hot conversation': hotConversation, idle };

/** `npm run bench [-- --quick] [--json FILE]`: figures beside those of bare `ws`, measured in turns in the same run. */
async function main(): Promise<void> {
  const { values } = parseArgs({ options: { quick: { type: 'boolean' }, json: { type: 'string' } } });
  const figures: Figure[] = [];
  const scale = values.quick ? 0.1 : 1;
  for (const [name, scenario] of Object.entries(SCENARIOS)) {
    process.stderr.write(`${name} …\n`);
    // Fresh processes for each scenario: none inherits another's memory.
    const parley = await ServerProcess.start(join(import.meta.dirname, 'parley-server.ts'));
    const floor = await ServerProcess.start(join(import.meta.dirname, 'ws-server.ts'));
    const peers: Peers = { parley, floor, scale };
    try {
      figures.push(...(await scenario(peers)));
    } finally {
      await Promise.all([parley.stop(), floor.stop()]);
    }
  }
  process.stderr.write('deliver, bundles, synth …\n');
  figures.push(...(await deliver(scale)), ...(await functions()), ...(await synth()));
  const { missing } = findEngineTools();
  if (missing.length === 0) {
    process.stderr.write('engines …\n');
    figures.push(...(await onEngines(scale)));
  } else process.stderr.write(`NOT MEASURED on engines: ${missing.join(' ')}\n`);
  console.log(
    `\nNode ${process.version}, client and servers on this machine; read the ratios, not the milliseconds.\n`,
  );
  printTable(figures);
  if (values.json !== undefined) {
    const rows = figures.map(({ floor, goal, ...rest }) => ({
      ...rest,
      ...(goal !== undefined && { budget: goal }),
      ...(floor !== undefined && { ratioTo: { ws: floor } }),
    }));
    writeFileSync(values.json, `${JSON.stringify(rows, null, 2)}\n`);
  }
}

await main();
