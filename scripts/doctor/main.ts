import { KeyspacesClient } from '@aws-sdk/client-keyspaces';
import { defaultProvider } from '@aws-sdk/credential-provider-node';
import { CALL_TIMEOUT_MS } from './aws.ts';
import { Stop } from './aws-errors.ts';
import { examine, formatReport } from './doctor.ts';
import { readCommandLine, USAGE } from './options.ts';
import { within } from './within.ts';

// The command says itself which Node it needs, and has one line to say it in.
process.env['AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED'] ??= 'true';

async function main(): Promise<number> {
  const commandLine = readCommandLine(process.argv.slice(2), process.env);
  if (commandLine === 'help') {
    process.stdout.write(USAGE);
    return 0;
  }
  const { json, ...asked } = commandLine;
  const region = asked.region ?? (await regionOfProfile());
  const provider = defaultProvider();
  const credentials = () => within(CALL_TIMEOUT_MS, provider());
  const report = await examine({ ...asked, region, credentials });
  process.stdout.write(json ? `${JSON.stringify(report, null, 2)}\n` : formatReport(report));
  return report.ok ? 0 : 1;
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

main().then(
  (code) => (process.exitCode = code),
  (error: unknown) => {
    process.stderr.write(`${error instanceof Stop ? error.message : String((error as Error).stack)}\n`);
    process.exitCode = 1;
  },
);
