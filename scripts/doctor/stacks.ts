import { textOf } from './aws.ts';
import { AwsError, Stop } from './aws-errors.ts';
import { deployCommand, STACKS, type Deployment, type StackPart } from './deployment.ts';
import { asking, judge, type Finding } from './finding.ts';

export interface Stacks {
  readonly findings: readonly Finding[];
  /** Where clients connect; undefined where no stack says so. */
  readonly socketUrl: string | undefined;
}

const GOOD = ['CREATE_COMPLETE', 'UPDATE_COMPLETE', 'IMPORT_COMPLETE', 'UPDATE_COMPLETE_CLEANUP_IN_PROGRESS'];

/** The stacks of the stage. @throws {Stop} when there is none of them. */
export async function checkStacks(deployment: Deployment, accountId: string): Promise<Stacks> {
  const parts = Object.keys(STACKS) as StackPart[];
  let socketUrl: string | undefined;
  const check = async (part: StackPart): Promise<readonly Finding[]> => {
    const stackName = `parley-${deployment.stage.name}-${part}`;
    const name = `stack ${stackName}`;
    const question = {
      name,
      rights: 'cloudformation:DescribeStacks',
      ifMissing: `Deploy it: ${deployCommand(deployment, part)}`,
    };
    return asking(question, async () => {
      const xml = await describeStack(deployment, stackName);
      if (part === 'realtime') socketUrl = outputOf(xml, 'SocketUrl');
      const status = textOf(xml, 'StackStatus') ?? 'without a status';
      const reason = textOf(xml, 'StackStatusReason');
      const found = reason === undefined ? status : `${status}: ${reason}`;
      return [judge(name, GOOD.includes(status), found, adviceOn(status, deployment, part))];
    });
  };
  const findings = (await Promise.all(parts.map(check))).flat();
  if (findings.every(({ found }) => found === 'does not exist')) {
    const { aws, stage } = deployment;
    throw new Stop(
      `Stage "${stage.name}" is not deployed in account ${accountId}, ${aws.region}. If it is elsewhere, choose that by AWS_PROFILE and --region; else: ${deployCommand(deployment)}`,
    );
  }
  return { findings, socketUrl };
}

/** The answer of DescribeStacks. @throws {AwsError} StackNotFound */
export async function describeStack({ aws }: Deployment, stackName: string): Promise<string> {
  const form = { Action: 'DescribeStacks', StackName: stackName, Version: '2010-05-15' };
  return aws.call({ service: 'cloudformation', form }).catch((error: unknown) => {
    // CloudFormation has no code of its own for it.
    if (error instanceof AwsError && error.code === 'ValidationError' && error.message.endsWith('does not exist')) {
      throw new AwsError('StackNotFound', error.message);
    }
    throw error;
  });
}

/** An output in the answer of DescribeStacks. */
export function outputOf(xml: string, key: string): string | undefined {
  const member = xml.split('<member>').find((one) => textOf(one, 'OutputKey') === key);
  return member && textOf(member, 'OutputValue');
}

function adviceOn(status: string, deployment: Deployment, part: StackPart): string {
  const deploy = deployCommand(deployment, part);
  if (status.endsWith('_IN_PROGRESS')) return 'Wait until CloudFormation is done, then run this again.';
  if (status === 'UPDATE_ROLLBACK_COMPLETE') {
    return `The last deployment failed and was undone: what runs is older than it. Its events in CloudFormation say why; then: ${deploy}`;
  }
  if (status === 'UPDATE_ROLLBACK_FAILED') {
    return 'Undoing failed too. Mend what its events in CloudFormation name, then choose "Continue update rollback" there.';
  }
  if (status === 'ROLLBACK_COMPLETE' || status === 'ROLLBACK_FAILED' || status === 'CREATE_FAILED') {
    return `It was never made. Its events in CloudFormation say why; delete the stack, then: ${deploy}`;
  }
  return `Its events in CloudFormation say what happened; then: ${deploy}`;
}
