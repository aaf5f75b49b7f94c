import { FUNCTION_NAMES, type FunctionName } from '../../lib/functions.ts';
import { deployCommand, missing, type Deployment, type StackPart } from './deployment.ts';
import { asking, judge, type Finding } from './finding.ts';

interface Configuration {
  readonly State?: string;
  readonly StateReason?: string;
  readonly LastUpdateStatus?: string;
  readonly LastUpdateStatusReason?: string;
}

/** That each function can be called. */
export async function checkFunctions(deployment: Deployment): Promise<readonly Finding[]> {
  const findings = await Promise.all(FUNCTION_NAMES.map((name) => checkFunction(deployment, name)));
  return findings.flat();
}

function checkFunction(deployment: Deployment, functionName: FunctionName): Promise<readonly Finding[]> {
  const fullName = `parley-${deployment.stage.name}-${functionName}`;
  const stack: StackPart = functionName === 'brokers' ? 'stream' : 'realtime';
  const name = `function ${fullName}`;
  const question = { name, rights: 'lambda:GetFunctionConfiguration', ifMissing: missing(deployment, stack) };
  return asking(question, async () => {
    const path = `/2015-03-31/functions/${fullName}/configuration`;
    const configuration = JSON.parse(await deployment.aws.call({ service: 'lambda', path })) as Configuration;
    const { State = 'Active', StateReason, LastUpdateStatus = 'Successful', LastUpdateStatusReason } = configuration;
    if (State !== 'Active') {
      const found = StateReason === undefined ? State : `${State}: ${StateReason}`;
      return [{ name, ok: false, found, advice: adviceOn(State, deployCommand(deployment, stack)) }];
    }
    const isUpdated = LastUpdateStatus === 'Successful';
    const update = `Active, last update ${LastUpdateStatus}`;
    const found = isUpdated ? 'Active' : LastUpdateStatusReason ? `${update}: ${LastUpdateStatusReason}` : update;
    const advice =
      LastUpdateStatus === 'InProgress'
        ? 'It serves calls with its old code until that is done. Run this again in a minute.'
        : `It serves calls with its old code. Deploy again: ${deployCommand(deployment, stack)}`;
    return [judge(name, isUpdated, found, advice)];
  });
}

function adviceOn(state: string, deploy: string): string {
  if (state === 'Pending') return 'Lambda is still making it. Run this again in a minute.';
  if (state === 'Inactive') {
    return 'Lambda put it aside after weeks without a call. The next call fails and wakes it: connect once, then run this again in a minute.';
  }
  return `Its network or its key is not usable. Deploy again: ${deploy}`;
}
