import { join } from 'node:path';
import { Explained } from './explained.ts';

export interface Arguments {
  readonly port: number;
  /** Given: run as it is. */
  readonly assembly?: string;
  /** Whether bundles are made again when a source changes. */
  readonly watch: boolean;
  /** Whether the console gets every line of the functions, too. */
  readonly verbose: boolean;
}

const DEFAULT_PORT = 8787;
const USAGE = 'Usage: [PORT=8787] npm run start:engines -- [--watch] [--verbose] [--assembly FOLDER]';

/** @throws {Explained} for what makes no sense */
export function readArguments(argv: readonly string[], env: NodeJS.ProcessEnv): Arguments {
  const flags = new Set<string>();
  let assembly: string | undefined;
  for (let i = 0; i < argv.length; i++) {
    const given = argv[i] ?? '';
    if (given === '--watch' || given === '--verbose') flags.add(given);
    else if (given === '--assembly' && argv[i + 1] !== undefined) assembly = argv[++i];
    else throw new Explained(`There is no argument "${given}".\n${USAGE}`);
  }
  if (assembly !== undefined && flags.has('--watch')) {
    throw new Explained('--watch goes with the assembly of this command only: leave --assembly out.');
  }
  return {
    port: portOf(env['PORT']),
    watch: flags.has('--watch'),
    verbose: flags.has('--verbose'),
    ...(assembly !== undefined && { assembly: join(assembly) }),
  };
}

function portOf(text: string | undefined): number {
  if (text === undefined || text === '') return DEFAULT_PORT;
  const port = Number(text);
  if (Number.isInteger(port) && port >= 0 && port <= 65_535) return port;
  throw new Explained('PORT must be a whole number from 0 to 65535.');
}
