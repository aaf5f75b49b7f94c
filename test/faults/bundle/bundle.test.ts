import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bundleFunctions } from '../../../lib/bundling/bundle.ts';
import { FUNCTION_NAMES } from '../../../lib/functions.ts';
import { makeBundles } from './make-bundles.ts';
import { ORDERS_DIR } from './orders.ts';

jest.setTimeout(60_000);

it('functions obey orders to fail in bundles for fault tests, and in nothing that is deployed', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'parley-bundles-'));
  try {
    await bundleFunctions(process.cwd(), join(dir, 'deployed'));
    await makeBundles(process.cwd(), join(dir, 'obedient'), dir);
    const obeys = (build: string, name: string): boolean =>
      readFileSync(join(dir, build, name, 'index.mjs'), 'utf8').includes(ORDERS_DIR);
    const handlers = FUNCTION_NAMES.filter((name) => name !== 'brokers');
    expect(handlers.filter((name) => !obeys('obedient', name))).toEqual([]);
    expect(FUNCTION_NAMES.filter((name) => obeys('deployed', name))).toEqual([]);
  } finally {
    rmSync(dir, { recursive: true });
  }
});
