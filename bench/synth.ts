import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Figure } from './figures.ts';

const ARGS = [
  'synth',
  '--quiet',
  '--no-notices',
  '-c',
  'stage=prod',
  '-c',
  'issuer=https://bench',
  '-c',
  'audience=bench',
];

/** How long `npx cdk synth` takes for every stack, bundles included, without and with the validation of the templates. */
export async function synth(): Promise<Figure[]> {
  return [
    { name: 'cdk synth of every stack, not validated', value: await run('false'), unit: 's', goal: '≤ 10 s' },
    { name: 'cdk synth of every stack, validated', value: await run('true'), unit: 's', goal: '≤ 25 s' },
  ];
}

async function run(validation: string): Promise<number> {
  const outdir = mkdtempSync(join(tmpdir(), 'parley-synth-'));
  try {
    const startedAtMs = performance.now();
    const cdk = spawn(join('node_modules', '.bin', 'cdk'), [...ARGS, '--output', outdir], {
      env: { ...process.env, CDK_VALIDATION: validation },
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    let said = '';
    cdk.stderr.on('data', (chunk: Buffer) => (said += chunk.toString()));
    const [code] = (await once(cdk, 'close')) as [number | null];
    if (code !== 0) throw new Error(`cdk synth failed:\n${said}`);
    return (performance.now() - startedAtMs) / 1_000;
  } finally {
    rmSync(outdir, { recursive: true, force: true });
  }
}
