import { ACCOUNT, type AwsState } from './deployed.ts';

export interface Asked {
  readonly service: string;
  readonly operation: string;
  readonly parameters: Readonly<Record<string, string>>;
}

export interface Answer {
  readonly status: number;
  readonly headers: Record<string, string>;
  readonly body: string;
}

/** What the service would answer in this state. */
export function answerFor({ service, operation, parameters }: Asked, state: AwsState): Answer {
  const answer = ANSWERS[`${service}:${operation}`];
  return answer ? answer(parameters, state) : json({ message: 'unknown' }, 404, 'UnknownOperationException');
}

type Parameters = Asked['parameters'];

const ANSWERS: Readonly<Record<string, (parameters: Parameters, state: AwsState) => Answer>> = {
  'sts:GetCallerIdentity': () =>
    xml(
      `<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetCallerIdentityResult>` +
        `<Arn>arn:aws:sts::${ACCOUNT}:assumed-role/Support/ana</Arn><UserId>AROA:ana</UserId><Account>${ACCOUNT}</Account>` +
        `</GetCallerIdentityResult></GetCallerIdentityResponse>`,
    ),
  'cloudformation:DescribeStacks': ({ StackName: name = '' }, { stacks }) => {
    const stack = stacks.get(name);
    if (!stack) {
      const message = `Stack with id ${name} does not exist`;
      const error = `<Error><Type>Sender</Type><Code>ValidationError</Code><Message>${message}</Message></Error>`;
      return xml(`<ErrorResponse>${error}<RequestId>r</RequestId></ErrorResponse>`, 400);
    }
    const outputs = Object.entries(stack.outputs).map(
      ([key, value]) => `<member><OutputKey>${key}</OutputKey><OutputValue>${escapeXml(value)}</OutputValue></member>`,
    );
    const reason = stack.reason ? `<StackStatusReason>${escapeXml(stack.reason)}</StackStatusReason>` : '';
    return xml(
      `<DescribeStacksResponse xmlns="http://cloudformation.amazonaws.com/doc/2010-05-15/"><DescribeStacksResult><Stacks><member>` +
        `<StackName>${name}</StackName><Outputs><member><OutputKey>Other</OutputKey><OutputValue>x</OutputValue></member>${outputs.join('')}</Outputs>` +
        `<StackStatus>${stack.status}</StackStatus>${reason}<Tags><member><Value>small</Value><Key>parley:stage</Key></member></Tags>` +
        `</member></Stacks></DescribeStacksResult></DescribeStacksResponse>`,
    );
  },
  'cassandra:GetTable': ({ keyspaceName = '', tableName = '' }, { logTables }) =>
    orMissing(logTables.get(`${keyspaceName}.${tableName}`)),
  'dynamodb:DescribeTable': ({ TableName = '' }, { tables }) => {
    const found = tables.get(TableName);
    return orMissing(found && { Table: found.table });
  },
  'dynamodb:DescribeTimeToLive': ({ TableName = '' }, { tables }) => {
    const found = tables.get(TableName);
    return orMissing(found && { TimeToLiveDescription: found.ttl });
  },
  'dynamodb:DescribeContinuousBackups': ({ TableName = '' }, { tables }) => {
    const found = tables.get(TableName);
    if (!found) return json({ message: 'Table not found' }, 400, 'TableNotFoundException');
    const recovery = { PointInTimeRecoveryStatus: found.recovery };
    return json({
      ContinuousBackupsDescription: { ContinuousBackupsStatus: 'ENABLED', PointInTimeRecoveryDescription: recovery },
    });
  },
  'kafka:ListClustersV2': ({ clusterNameFilter = '' }, { clusters }) =>
    json({ clusterInfoList: clusters.filter(({ clusterName }) => String(clusterName).startsWith(clusterNameFilter)) }),
  'kafka:ListTopics': ({ subject }, { clusters, topics }) =>
    clusters.some(({ clusterArn }) => clusterArn === subject)
      ? json({ topics })
      : json({ message: 'no such cluster' }, 404, 'NotFoundException'),
  'lambda:ListEventSourceMappings': ({ FunctionName = '' }, { functions, mappings }) =>
    orMissing(functions.get(FunctionName) && { EventSourceMappings: mappings }),
  'lambda:GetFunctionConfiguration': ({ subject = '' }, { functions }) => orMissing(functions.get(subject)),
};

function orMissing(answer: unknown): Answer {
  return answer ? json(answer) : json({ message: 'no such thing' }, 404, 'ResourceNotFoundException');
}

function json(answer: unknown, status = 200, error?: string): Answer {
  const headers = { 'content-type': 'application/x-amz-json-1.0', ...(error && { 'x-amzn-errortype': error }) };
  return { status, headers, body: JSON.stringify(error === undefined ? answer : { __type: error, ...Object(answer) }) };
}

function xml(body: string, status = 200): Answer {
  return { status, headers: { 'content-type': 'text/xml' }, body };
}

export function escapeXml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;');
}
