import type { Stage } from '../../lib/stages.ts';
import { findAccount } from './account.ts';
import { Aws, type AwsOptions } from './aws.ts';
import { checkDynamoDb } from './dynamodb.ts';
import type { Finding } from './finding.ts';
import { checkFunctions } from './functions.ts';
import { checkKeyspaces } from './keyspaces.ts';
import { checkMappings } from './mappings.ts';
import { checkSocket } from './socket.ts';
import { checkStacks } from './stacks.ts';
import { checkTopics } from './topics.ts';

export interface DoctorOptions extends AwsOptions {
  readonly stage: Stage;
  /** Opens a session with it, too. */
  readonly token?: string;
}

export interface Report {
  readonly stage: string;
  readonly account: string;
  readonly region: string;
  readonly ok: boolean;
  readonly checks: readonly Finding[];
}

/**
 * Looks at a deployed stage from outside and changes nothing; a session, where there is a token for it, leaves what every session leaves.
 * Ends within a minute.
 * @throws {Stop} when there is nothing to look at
 */
export async function examine({ stage, token, ...awsOptions }: DoctorOptions): Promise<Report> {
  const aws = new Aws(awsOptions);
  const deployment = { stage, aws };
  const account = await findAccount(aws);
  const stacks = await checkStacks(deployment, account.id);
  const { socketUrl } = stacks;
  const findings = await Promise.all([
    checkKeyspaces(deployment),
    checkDynamoDb(deployment),
    checkTopics(deployment),
    checkFunctions(deployment),
    checkMappings(deployment),
    checkSocket(deployment, { socketUrl, ...(token !== undefined && { token }) }),
  ]);
  const checks = [account.finding, ...stacks.findings, ...findings.flat()];
  return { stage: stage.name, account: account.id, region: aws.region, ok: checks.every(({ ok }) => ok), checks };
}

/** A line for each check, below it what to do where it failed, and a summary. */
export function formatReport({ stage, checks }: Report): string {
  const width = Math.max(...checks.map(({ name }) => name.length));
  const lines = checks.flatMap(({ name, ok, found, advice }) => [
    `${ok ? '✓' : '✗'} ${name.padEnd(width)}  ${found}`,
    ...(advice === undefined ? [] : [`    → ${advice}`]),
  ]);
  const failed = checks.filter(({ ok }) => !ok).length;
  const summary = failed === 0 ? 'all as it should be' : `${failed} not as it should be`;
  return [...lines, '', `Stage ${stage}: ${checks.length} checks, ${summary}.`, ''].join('\n');
}
