import { rmSync } from 'node:fs';
import { join } from 'node:path';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import { newApp } from '../lib/app.ts';
import { bundleFunctions } from '../lib/bundling/bundle.ts';
import { deployParley } from '../lib/deployment.ts';
import { floorOf, formatFloor } from '../lib/prices.ts';
import { SettingError, stageFromContext } from '../lib/settings.ts';

/** `npx cdk synth|deploy -c stage=small -c issuer=… -c audience=…`: everything that Parley is on AWS. */
async function main(): Promise<void> {
  const app = newApp(process.env['CDK_OUTDIR'] ?? 'cdk.out');
  const stage = stageFromContext((name) => app.node.tryGetContext(name) as unknown);
  // A folder of its own: another synth may be under way. The assembly has copies.
  const folder = join(process.cwd(), '.parley', 'bundles', String(process.pid));
  try {
    const bundles = await bundleFunctions(process.cwd(), folder);
    deployParley(app, stage, (name) => lambda.Code.fromAsset(bundles.folderOf(name)));
    app.synth();
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  process.stderr.write(formatFloor(stage, floorOf(stage)));
}

main().catch((error: unknown) => {
  process.stderr.write(error instanceof SettingError ? `${error.message}\n` : `${String((error as Error).stack)}\n`);
  process.exitCode = 1;
});
