import { parseArgs } from 'node:util';
import { STAGES } from '../../lib/stages.ts';
import { findAccount } from '../doctor/account.ts';
import { Aws } from '../doctor/aws.ts';
import { AwsError, Stop, codeOf, firstLineOf } from '../doctor/aws-errors.ts';
import { accessOf, runCommand } from '../doctor/command.ts';
import { deployCommand } from '../doctor/deployment.ts';
import { placeAsked, stageNamed } from '../doctor/options.ts';
import { describeStack, outputOf } from '../doctor/stacks.ts';
import { repairBy } from './invoke.ts';
import { redrive } from './redrive.ts';
import { failedIn, parkedIn } from './sources.ts';

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
  const aws = new Aws(await accessOf(placeAsked(values.region, process.env)));
  const account = await findAccount(aws);
  const stackName = `parley-${stage.name}-realtime`;
  const xml = await describeStack({ aws, stage }, stackName).catch((error: unknown) => {
    if (!(error instanceof AwsError)) throw error;
    throw new Stop(
      `The stack ${stackName} in account ${account.id}, ${aws.region}, is not to be read (${codeOf(error)}: ${firstLineOf(error)}). Deploy it, or allow cloudformation:DescribeStacks: ${deployCommand({ aws, stage }, 'realtime')}`,
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

runCommand(main);
