import { KAFKA_TOPICS } from '@parley/protocol/stores';
import type { FunctionName } from '../../lib/functions.ts';
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

/** What is read for a function. */
interface Source {
  readonly name: string;
  readonly isRead: (mapping: Mapping) => boolean;
  /** What to do when reading fails. */
  readonly advice: string;
}

const TOPICS: readonly Source[] = Object.keys(KAFKA_TOPICS).map((topic) => ({
  name: topic,
  isRead: ({ Topics }) => Topics?.includes(topic) ?? false,
  advice:
    `Connection or authorization: the brokers' security group must let itself in on port 9098, on-demand pollers need the Lambda and STS endpoints ` +
    'of Realtime, and Kafka must be open to the role of',
}));

const OUTBOX: Source = {
  name: 'stream of sends',
  isRead: ({ Topics }) => Topics === undefined,
  advice: 'Authorization: the stream of the table and its key must be open to the role of',
};

/** That each topic is read for `deliver` and the outbox for `repair`, and how the last read went. */
export async function checkMappings(deployment: Deployment): Promise<readonly Finding[]> {
  const found = await Promise.all([
    checkMappingsOf(deployment, 'deliver', TOPICS),
    checkMappingsOf(deployment, 'repair', [OUTBOX]),
  ]);
  return found.flat();
}

async function checkMappingsOf(
  deployment: Deployment,
  target: FunctionName,
  sources: readonly Source[],
): Promise<readonly Finding[]> {
  const functionName = `parley-${deployment.stage.name}-${target}`;
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
    return sources.map((source) => {
      const mapping = EventSourceMappings.find(source.isRead);
      const name = `mapping ${source.name} → ${target}`;
      if (!mapping) return { name, ok: false, found: 'does not exist', advice: question.ifMissing };
      return judgeMapping(name, mapping, `${source.advice} ${functionName}`);
    });
  });
}

function judgeMapping(name: string, mapping: Mapping, reading: string): Finding {
  const { UUID, State = 'unknown', StateTransitionReason, LastProcessingResult = 'no result yet' } = mapping;
  if (State !== 'Enabled') {
    const found = StateTransitionReason === undefined ? State : `${State}: ${StateTransitionReason}`;
    const advice = State.endsWith('ing')
      ? 'Wait a minute, then run this again.'
      : `Nothing is read while it is off: aws lambda update-event-source-mapping --uuid ${UUID} --enabled`;
    return { name, ok: false, found, advice };
  }
  const isGood = mapping.LastProcessingResult === undefined || GOOD_RESULTS.includes(LastProcessingResult);
  return judge(
    name,
    isGood,
    `${State}, last result: ${LastProcessingResult}`,
    `${reading} with its poller rights. Failing calls: see that function's log.`,
  );
}
