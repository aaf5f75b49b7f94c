import { KeyspacesClient } from '@aws-sdk/client-keyspaces';
import { defaultProvider } from '@aws-sdk/credential-provider-node';
import { CALL_TIMEOUT_MS, type AwsOptions } from './aws.ts';
import { AwsError, Stop } from './aws-errors.ts';
import type { placeAsked } from './options.ts';
import { within } from './within.ts';

/** Where a command asks, and as whom: as `placeAsked` says, else as the profile does. @throws {Stop} without a Region */
export async function accessOf({
  region,
  endpoint,
}: ReturnType<typeof placeAsked>): Promise<Pick<AwsOptions, 'region' | 'credentials' | 'endpoint'>> {
  const provider = defaultProvider();
  return {
    region: region ?? (await regionOfProfile()),
    credentials: () => within(CALL_TIMEOUT_MS, provider()),
    ...(endpoint && { endpoint }),
  };
}

/** Runs a command that looks at a deployed stage; what it stops with is one line, anything else its whole stack. */
export function runCommand(main: () => Promise<number>): void {
  // The command says itself which Node it needs, and has one line to say it in.
  process.env['AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED'] ??= 'true';
  main().then(
    (code) => (process.exitCode = code),
    (error: unknown) => {
      const isTold = error instanceof Stop || error instanceof AwsError;
      process.stderr.write(`${isTold ? error.message : String((error as Error).stack)}\n`);
      process.exitCode = 1;
    },
  );
}

/** As the SDK reads it from the files of the AWS CLI. */
async function regionOfProfile(): Promise<string> {
  try {
    return await new KeyspacesClient({}).config.region();
  } catch {
    throw new Stop(
      'No Region is set. Give --region, or set AWS_REGION, or choose a profile that has one by AWS_PROFILE.',
    );
  }
}
