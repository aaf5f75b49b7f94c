import { parseArgs } from 'node:util';

export interface Arguments {
  readonly seed: number;
  /** Ids, or the beginnings of ids; empty: all. */
  readonly only: readonly string[];
  readonly report: string;
}

export const USAGE = `Usage: npm run faults -- [--seed NUMBER] [--only R-06,R-16] [--report FILE]`;

/** @throws for what it does not know */
export function readArguments(argv: readonly string[]): Arguments {
  const { values } = parseArgs({
    args: [...argv],
    options: { seed: { type: 'string' }, only: { type: 'string' }, report: { type: 'string' } },
  });
  const seed = values.seed === undefined ? Math.floor(Math.random() * 2 ** 31) : Number(values.seed);
  if (!Number.isSafeInteger(seed) || seed < 0) throw new Error(`--seed ${values.seed ?? ''} is no whole number.`);
  const only = (values.only ?? '').split(',').filter((id) => id !== '');
  return { seed, only, report: values.report ?? '.parley/faults/faults.html' };
}
