import { parseArgs } from 'node:util';
import { KeyspacesClient } from '@aws-sdk/client-keyspaces';
import { defaultProvider } from '@aws-sdk/credential-provider-node';
import { STAGES } from '../../lib/stages.ts';
import { findAccount } from '../doctor/account.ts';
import { Aws, CALL_TIMEOUT_MS } from '../doctor/aws.ts';
import { AwsError, Stop, codeOf, firstLineOf } from '../doctor/aws-errors.ts';
import { deployCommand } from '../doctor/deployment.ts';
import { stageNamed } from '../doctor/options.ts';
import { describeStack, outputOf } from '../doctor/stacks.ts';
import { within } from '../doctor/within.ts';
import { repairBy } from './invoke.ts';
import { redrive } from './redrive.ts';
import { failedIn, parkedIn } from './sources.ts';

process.env['AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED'] ??= 'true';

const USAGE = `Usage: npm run redrive -- --stage ${Object.keys(STAGES).join('|')} [--region REGION] [--dry-run]

Hands every entry that consumers gave up on to repair, which reads the log and publishes it again. See docs/redrive.md.

  --stage    what was deployed
  --region   where; default AWS_REGION, AWS_DEFAULT_REGION, or what the profile says
  --dry-run  only says what there is
`;

async function main(): Promise<number> {
  const values = readArguments();
  if (values.help) {
    process.stdout.write(USAGE);
    return 0;
  }
  const stage = stageNamed(values.stage);
  const env = process.env;
  const region =
    [values.region, env['AWS_REGION'], env['AWS_DEFAULT_REGION']].find(Boolean) ?? (await regionOfProfile());
  const provider = defaultProvider();
  const endpoint = env['AWS_ENDPOINT_URL'];
  const credentials = () => within(CALL_TIMEOUT_MS, provider());
  const aws = new Aws({ region, credentials, ...(endpoint && { endpoint }) });
  const account = await findAccount(aws);
  const stackName = `parley-${stage.name}-realtime`;
  const xml = await describeStack({ aws, stage }, stackName).catch((error: unknown) => {
    if (!(error instanceof AwsError)) throw error;
    throw new Stop(
      `The stack ${stackName} in account ${account.id}, ${region}, is not to be read (${codeOf(error)}: ${firstLineOf(error)}). Deploy it, or allow cloudformation:DescribeStacks: ${deployCommand({ aws, stage }, 'realtime')}`,
    );
  });
  const output = (name: string): string => {
    const found = outputOf(xml, name);
    if (found !== undefined) return found;
    throw new Stop(`${stackName} has no output ${name}: it is older than this command. Deploy it again.`);
  };
  const sources = [
    parkedIn(aws, output('ParkedRecords')),
    failedIn(aws, output('FailedDeliveries')),
    failedIn(aws, output('FailedRepairs')),
  ];
  async function* all() {
    for (const source of sources) yield* source;
  }
  const { batches, numbers, others } = await redrive({
    batches: all(),
    repair: repairBy(aws, `parley-${stage.name}-repair`),
    dryRun: values['dry-run'],
    progress: (line) => process.stdout.write(`${line}\n`),
  });
  const verb = values['dry-run'] ? 'would be handed' : 'were handed';
  process.stdout.write(
    `${numbers} entries of ${batches} batches ${verb} to repair; ${others} other records need nothing.\n`,
  );
  return 0;
}

function readArguments() {
  try {
    return parseArgs({
      options: {
        stage: { type: 'string' },
        region: { type: 'string' },
        'dry-run': { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
      },
    }).values;
  } catch (error) {
    throw new Stop(`${(error as Error).message.split('. ', 1)[0] ?? ''}. --help says what there is.`);
  }
}

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
    const told = error instanceof Stop || error instanceof AwsError;
    process.stderr.write(`${told ? error.message : String((error as Error).stack)}\n`);
    process.exitCode = 1;
  },
);
