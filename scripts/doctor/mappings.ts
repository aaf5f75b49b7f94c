import { KAFKA_TOPICS } from '@parley/protocol/stores';
import { missing, type Deployment } from './deployment.ts';
import { asking, judge, type Finding } from './finding.ts';

interface Mapping {
  readonly UUID: string;
  readonly Topics?: readonly string[];
  readonly State?: string;
  readonly StateTransitionReason?: string;
  readonly LastProcessingResult?: string;
}

/** What Lambda says of a mapping that works, or has had nothing to do so far. */
const GOOD_RESULTS = ['OK', 'No records processed'];

/** That each topic is read for `deliver`, and how the last read went. */
export async function checkMappings(deployment: Deployment): Promise<readonly Finding[]> {
  const functionName = `parley-${deployment.stage.name}-deliver`;
  const question = {
    name: `mappings of ${functionName}`,
    rights: 'lambda:ListEventSourceMappings',
    ifMissing: missing(deployment, 'realtime'),
  };
  return asking(question, async () => {
    const path = '/2015-03-31/event-source-mappings';
    const query = { FunctionName: functionName, MaxItems: '100' };
    const answer = await deployment.aws.call({ service: 'lambda', path, query });
    const { EventSourceMappings } = JSON.parse(answer) as { EventSourceMappings: Mapping[] };
    return Object.keys(KAFKA_TOPICS).map((topic) => {
      const mapping = EventSourceMappings.find(({ Topics }) => Topics?.includes(topic));
      const name = `mapping ${topic} → deliver`;
      if (!mapping) return { name, ok: false, found: 'does not exist', advice: question.ifMissing };
      return judgeMapping(name, mapping, functionName);
    });
  });
}

function judgeMapping(name: string, mapping: Mapping, functionName: string): Finding {
  const { UUID, State = 'unknown', StateTransitionReason, LastProcessingResult = 'no result yet' } = mapping;
  if (State !== 'Enabled') {
    const found = StateTransitionReason === undefined ? State : `${State}: ${StateTransitionReason}`;
    const advice = State.endsWith('ing')
      ? 'Wait a minute, then run this again.'
      : `Nothing is delivered through the stream while it is off: aws lambda update-event-source-mapping --uuid ${UUID} --enabled`;
    return { name, ok: false, found, advice };
  }
  const isGood = mapping.LastProcessingResult === undefined || GOOD_RESULTS.includes(LastProcessingResult);
  return judge(
    name,
    isGood,
    `${State}, last result: ${LastProcessingResult}`,
    `Connection or authorization: the brokers' security group must let itself in on port 9098, on-demand pollers need the Lambda and STS endpoints ` +
      `of Realtime, and the role of ${functionName} its poller rights. Failing calls: see that function's log.`,
  );
}
