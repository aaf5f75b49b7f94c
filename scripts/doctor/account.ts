import type { Finding } from './finding.ts';
import { textOf, type Aws } from './aws.ts';
import { codeOf, firstLineOf, isAboutCredentials, isUnreached, Stop } from './aws-errors.ts';

export interface Account {
  readonly id: string;
  readonly finding: Finding;
}

/** Who asks, and where. No right is needed for it. @throws {Stop} when nothing else could be asked either. */
export async function findAccount(aws: Aws): Promise<Account> {
  const form = { Action: 'GetCallerIdentity', Version: '2011-06-15' };
  const xml = await aws.call({ service: 'sts', form }).catch((error: unknown) => {
    throw new Stop(reasonOf(error, aws));
  });
  const id = textOf(xml, 'Account') ?? 'unknown';
  const found = `${id} in ${aws.region}, as ${textOf(xml, 'Arn') ?? 'unknown'}`;
  return { id, finding: { name: 'account', ok: true, found } };
}

function reasonOf(error: unknown, aws: Aws): string {
  const code = codeOf(error);
  if (code.endsWith('ProviderError')) {
    return `There are no AWS credentials that can be used (${firstLineOf(error)}). Sign in (aws sso login), or set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY.`;
  }
  if (isAboutCredentials(error)) {
    return `AWS does not take the credentials (${code}). Sign in again, check AWS_PROFILE, and check that the clock of this machine is right.`;
  }
  if (isUnreached(error)) {
    return `No answer from ${aws.addressOf('sts')} (${code}). Check the network and its proxy, and that "${aws.region}" is a Region of AWS.`;
  }
  return `AWS does not say whose credentials these are: ${code}: ${firstLineOf(error)}`;
}
