import { ENV } from '../../lambdas/runtime/env.ts';
import { FUNCTION_NAMES, type FunctionName } from '../../lib/functions.ts';
import { allResources, resourcesOf, text, type Resource } from './harness.ts';

interface Statement {
  readonly Sid: string;
  readonly Effect: 'Allow' | 'Deny';
  readonly Action: string | string[];
  readonly Resource: unknown;
  readonly Condition?: unknown;
}

const WRITES_LOG = 'logs:CreateLogStream, logs:PutLogEvents → own log group, its streams';
const USES_KEY = 'kms:Decrypt, kms:GenerateDataKey → data key, by DynamoDB';
const READS_BY_KEY = 'kms:Decrypt → data key, by DynamoDB';
const CACHE = 'elasticache:Connect → cache, own user';
const BROKERS = 'kafka-cluster:Connect, kafka-cluster:WriteDataIdempotently → cluster';
const WRITES_EVENTS = 'kafka-cluster:DescribeTopic, kafka-cluster:WriteData → topic conversation-events, topic signals';
const WRITES_SIGNALS = 'kafka-cluster:DescribeTopic, kafka-cluster:WriteData → topic signals';
const SYSTEM = 'cassandra:Select → system tables';

/** All that each function may do by its own policy. What stands here is what a reviewer of a change must agree to. */
const RIGHTS: Record<FunctionName, string[]> = {
  authorizer: [WRITES_LOG],
  connect: [
    WRITES_LOG,
    'dynamodb:GetItem, dynamodb:UpdateItem → directory',
    USES_KEY,
    'dynamodb:BatchGetItem, dynamodb:UpdateItem → connections',
    'execute-api:ManageConnections → DELETE of any connection of this stage',
  ],
  disconnect: [WRITES_LOG, 'dynamodb:UpdateItem → connections', USES_KEY],
  send: [
    WRITES_LOG,
    'dynamodb:BatchGetItem, dynamodb:GetItem, dynamodb:PutItem, dynamodb:Query, dynamodb:UpdateItem → directory',
    USES_KEY,
    'dynamodb:BatchGetItem → connections',
    'dynamodb:BatchGetItem, dynamodb:PutItem → sends',
    'cassandra:Select, cassandra:Modify → messages',
    SYSTEM,
    CACHE,
    BROKERS,
    WRITES_EVENTS,
    'lambda:InvokeFunction → deliver',
  ],
  heartbeat: [WRITES_LOG, 'dynamodb:BatchGetItem → directory', READS_BY_KEY, CACHE, BROKERS, WRITES_SIGNALS],
  receipt: [
    WRITES_LOG,
    'dynamodb:BatchGetItem, dynamodb:Query, dynamodb:UpdateItem → directory',
    USES_KEY,
    CACHE,
    BROKERS,
    WRITES_EVENTS,
  ],
  sync: [
    WRITES_LOG,
    'dynamodb:BatchGetItem, dynamodb:Query → directory',
    READS_BY_KEY,
    'cassandra:Select → messages',
    SYSTEM,
    CACHE,
    'lambda:InvokeFunction → repair',
  ],
  conversation: [
    WRITES_LOG,
    'dynamodb:BatchGetItem, dynamodb:ConditionCheckItem, dynamodb:DeleteItem, dynamodb:GetItem, dynamodb:PutItem, dynamodb:Query, dynamodb:UpdateItem → directory',
    USES_KEY,
    'dynamodb:BatchGetItem → connections',
    'dynamodb:BatchGetItem, dynamodb:PutItem → sends',
    'cassandra:Select, cassandra:Modify → messages',
    SYSTEM,
    CACHE,
    BROKERS,
    WRITES_EVENTS,
  ],
  deliver: [
    WRITES_LOG,
    'dynamodb:BatchGetItem, dynamodb:Query → directory',
    USES_KEY,
    'dynamodb:BatchGetItem, dynamodb:UpdateItem → connections',
    'execute-api:ManageConnections → POST of any connection of this stage, DELETE of any connection of this stage',
    's3:PutObject → failed batches, below aws/lambda',
    's3:ListBucket → failed batches',
    'kms:GenerateDataKey → key of failed batches, by S3',
    'sqs:SendMessage → parked records',
    'kms:Decrypt, kms:GenerateDataKey → logs key, by SQS',
    'kafka:DescribeClusterV2, kafka:GetBootstrapBrokers → cluster',
    'kafka-cluster:Connect, kafka-cluster:DescribeClusterDynamicConfiguration → cluster',
    'kafka-cluster:DescribeTopic, kafka-cluster:ReadData → topic conversation-events, topic signals',
    'kafka-cluster:DescribeGroup, kafka-cluster:AlterGroup → group conversation-events, group signals',
  ],
  repair: [
    WRITES_LOG,
    'dynamodb:BatchGetItem, dynamodb:PutItem, dynamodb:UpdateItem → directory',
    USES_KEY,
    'dynamodb:PutItem → sends',
    'cassandra:Select, cassandra:Modify → messages',
    SYSTEM,
    CACHE,
    BROKERS,
    'kafka-cluster:DescribeTopic, kafka-cluster:WriteData → topic conversation-events',
    's3:PutObject → batches that crashed repair, below aws/lambda',
    's3:ListBucket → batches that crashed repair',
    'kms:GenerateDataKey → logs key, by S3',
    'dynamodb:DescribeStream, dynamodb:GetRecords, dynamodb:GetShardIterator, dynamodb:ListStreams → outbox',
  ],
  brokers: [WRITES_LOG, 'kafka:GetBootstrapBrokers → cluster'],
};

/** What each function is told. */
const ENVIRONMENTS: Record<FunctionName, (keyof typeof ENV)[]> = {
  authorizer: ['logLevel', 'issuer', 'audience', 'allowedOrigins'],
  connect: ['logLevel', 'directoryTable', 'connectionsTable', 'gatewayEndpoint'],
  disconnect: ['logLevel', 'connectionsTable'],
  send: [
    ...['logLevel', 'directoryTable', 'connectionsTable', 'sendsTable', 'logKeyspace', 'logEndpoint'],
    ...['presenceEndpoint', 'presenceCache', 'presenceUser', 'brokers', 'deliverFunction'],
  ] as (keyof typeof ENV)[],
  heartbeat: ['logLevel', 'directoryTable', 'presenceEndpoint', 'presenceCache', 'presenceUser', 'brokers'],
  receipt: ['logLevel', 'directoryTable', 'presenceEndpoint', 'presenceCache', 'presenceUser', 'brokers'],
  sync: [
    'logLevel',
    'directoryTable',
    'logKeyspace',
    'logEndpoint',
    'presenceEndpoint',
    'presenceCache',
    'presenceUser',
    'repairFunction',
  ],
  conversation: [
    ...['logLevel', 'directoryTable', 'connectionsTable', 'sendsTable', 'logKeyspace', 'logEndpoint'],
    ...['presenceEndpoint', 'presenceCache', 'presenceUser', 'brokers'],
  ] as (keyof typeof ENV)[],
  deliver: ['logLevel', 'directoryTable', 'connectionsTable', 'gatewayEndpoint', 'parkedQueueUrl'],
  repair: [
    ...['logLevel', 'directoryTable', 'sendsTable', 'logKeyspace', 'logEndpoint'],
    ...['presenceEndpoint', 'presenceCache', 'presenceUser', 'brokers'],
  ] as (keyof typeof ENV)[],
  brokers: ['logLevel'],
};

const SHORT: [RegExp, string][] = [
  [/^<DirectoryTable\w+>$/, 'directory'],
  [/^<ConnectionsTable\w+>$/, 'connections'],
  [/^<SendsTable\w+StreamArn\w*>$/, 'outbox'],
  [/^<SendsTable\w+>$/, 'sends'],
  [/^<DataKey\w+>$/, 'data key'],
  [/^<LogsKey[\w.]+>$/, 'logs key'],
  [/^<DeliveryFailedKey[\w.]+>$/, 'key of failed batches'],
  [/^<DeliveryFailed[\w.]+>$/, 'failed batches'],
  [/^<DeliveryFailed[\w.]+>\/aws\/lambda\/\*$/, 'failed batches, below aws/lambda'],
  [/^<OutboxFailed[\w.]+>$/, 'batches that crashed repair'],
  [/^<OutboxFailed[\w.]+>\/aws\/lambda\/\*$/, 'batches that crashed repair, below aws/lambda'],
  [/^<RepairFunction[\w.]+>$/, 'repair'],
  [/^<DeliveryParked[\w.]+>$/, 'parked records'],
  [/^<DeliverFunction[\w.]+>$/, 'deliver'],
  [/^<EventsCluster[\w.]+>$/, 'cluster'],
  [/^<\w+Logs[0-9A-F]{8}\.Arn>:\*$/, 'own log group, its streams'],
  [/^arn:.*:cassandra:.*:\/keyspace\/parley_\w+\/table\/(\w+)$/, '$1'],
  [/^arn:.*:cassandra:.*:\/keyspace\/system\*$/, 'system tables'],
  [/^arn:.*:elasticache:.*:serverlesscache:parley-\w+$/, 'cache'],
  [/^arn:.*:kafka:.*:topic\/select 1 of <EventsCluster[\w.]+> by :cluster\/\/([\w-]+)$/, 'topic $1'],
  [/^arn:.*:kafka:.*:group\/select 1 of <EventsCluster[\w.]+> by :cluster\/\/parley-deliver-([\w-]+)$/, 'group $1'],
  [/^arn:.*:execute-api:.*:<\w+>\/\w+\/(POST|DELETE)\/@connections\/\*$/, '$1 of any connection of this stage'],
];

function shorten(resource: string, owner: string): string {
  if (new RegExp(`^arn:.*:elasticache:.*:user:parley-\\w+-${owner}$`).test(resource)) return 'own user';
  const [pattern, name] = SHORT.find(([candidate]) => candidate.test(resource)) ?? [/^$/, ''];
  return resource.replace(pattern, name);
}

const SERVICES: Record<string, string> = { dynamodb: 'DynamoDB', s3: 'S3', sqs: 'SQS' };

function describeStatement({ Effect, Action, Resource, Condition }: Statement, owner: string): string {
  const via = /kms:ViaService.*?(dynamodb|s3|sqs)\./.exec(JSON.stringify(Condition ?? {}))?.[1];
  const what = [Action].flat().join(', ');
  const where = [Resource].flat().map((resource) => shorten(text(resource), owner));
  return `${Effect === 'Allow' ? '' : 'not '}${what} → ${where.join(', ')}${via === undefined ? '' : `, by ${String(SERVICES[via])}`}`;
}

function statementsOf({ Properties }: Resource): Statement[] {
  return (Properties['PolicyDocument'] as { Statement: Statement[] }).Statement;
}

describe.each(['small', 'prod'] as const)('the rights of the functions of %s', (stage) => {
  const roles = new Map(allResources(stage, 'AWS::IAM::Role'));
  const policies = new Map(allResources(stage, 'AWS::IAM::ManagedPolicy'));
  const functions = allResources(stage, 'AWS::Lambda::Function').map(([, { Properties }]) => ({
    name: String(Properties['FunctionName']).replace(`parley-${stage}-`, '') as FunctionName,
    roleId: /^<(\w+)\.Arn>$/.exec(text(Properties['Role']))?.[1] ?? '',
    environment: (Properties['Environment'] as { Variables: Record<string, unknown> }).Variables,
  }));
  const policiesOf = (roleId: string) =>
    (roles.get(roleId)?.Properties['ManagedPolicyArns'] as unknown[]).map((reference) => text(reference).slice(1, -1));

  it('are those written here, and no others', () => {
    const found = Object.fromEntries(
      functions.map(({ name, roleId }) => {
        const [own = ''] = policiesOf(roleId);
        const policy = policies.get(own);
        return [name, policy ? statementsOf(policy).map((statement) => describeStatement(statement, name)) : []];
      }),
    );
    expect(Object.keys(found).sort()).toEqual([...FUNCTION_NAMES].sort());
    expect(found).toEqual(RIGHTS);
  });

  it('belong to a role and a policy of its own for each', () => {
    expect(new Set(functions.map(({ roleId }) => roleId)).size).toBe(FUNCTION_NAMES.length);
    const own = functions.map(({ roleId }) => policiesOf(roleId)[0]);
    expect(new Set(own).size).toBe(FUNCTION_NAMES.length);
    for (const { roleId } of functions) {
      expect(roles.get(roleId)?.Properties['AssumeRolePolicyDocument']).toMatchObject({
        Statement: [{ Action: 'sts:AssumeRole', Effect: 'Allow', Principal: { Service: 'lambda.amazonaws.com' } }],
      });
    }
  });

  it('share only the policies for network interfaces, which their own code cannot use', () => {
    const shared = Object.fromEntries(
      functions.map(({ name, roleId }) => [
        name,
        policiesOf(roleId)
          .slice(1)
          .map((id) => id.replace(/[0-9A-F]{8}$/, '')),
      ]),
    );
    const vpc = ['RuntimePoliciesVpc'];
    expect(shared).toEqual({
      ...{ authorizer: [], connect: [], disconnect: [], brokers: [], deliver: ['RuntimePoliciesPollers'] },
      ...{ send: vpc, heartbeat: vpc, receipt: vpc, repair: vpc, sync: vpc, conversation: vpc },
    });
    for (const [id, policy] of policies) {
      if (!id.startsWith('RuntimePolicies')) continue;
      const [allowed, denied] = statementsOf(policy);
      const mutating = [allowed?.Action ?? []].flat().filter((action) => !action.startsWith('ec2:Describe'));
      expect(mutating.length).toBeGreaterThan(0);
      expect(denied).toMatchObject({ Effect: 'Deny', Action: mutating, Resource: '*' });
      expect(JSON.stringify(denied?.Condition)).toContain('lambda:SourceFunctionArn');
    }
  });

  it('are never inline, and never a policy of AWS', () => {
    const inline = ['AWS::IAM::Policy', 'AWS::IAM::RolePolicy', 'AWS::IAM::UserPolicy', 'AWS::IAM::GroupPolicy'];
    expect(allResources(stage).filter(([, { Type }]) => inline.includes(Type))).toEqual([]);
    expect(roles.size).toBeGreaterThan(FUNCTION_NAMES.length);
    for (const [id, { Properties }] of roles) {
      expect(Properties['Policies']).toBeUndefined();
      for (const policy of policiesOf(id)) expect(policies.has(policy)).toBe(true);
    }
  });

  it('hold wildcards only where nothing narrower exists', () => {
    const wild = [...policies].flatMap(([id, policy]) =>
      statementsOf(policy)
        .filter(
          ({ Effect, Action, Resource }) =>
            Effect === 'Allow' && (text(Resource).includes('*') || text(Action).includes('*')),
        )
        .map(({ Sid }) => `${id.replace(/[0-9A-F]{8}$/, '')} ${Sid}`),
    );
    const streamsOfLogs = functions.map(({ name }) => `${name === 'brokers' ? 'Events' : ''}${title(name)}Policy Logs`);
    expect(wild.sort()).toEqual(
      [
        ...streamsOfLogs,
        // EC2 cannot limit network interfaces that do not exist yet.
        ...['RuntimePoliciesVpc NetworkInterfaces', 'RuntimePoliciesPollers NetworkInterfaces'],
        // Connection ids and object names are made at run time.
        ...[
          'ConnectPolicy Sockets',
          'DeliverPolicy Sockets',
          'DeliverPolicy FailedBatches',
          'RepairPolicy FailedBatches',
        ],
        // The driver reads the system keyspaces, whose tables are not ours to name.
        ...['Send', 'Sync', 'Conversation', 'Repair'].map((name) => `${name}Policy LogSystemTables`),
        // The role is the account's, for the logs of any API.
        'ApiGatewayAccountPolicy Logs',
      ].sort(),
    );
  });

  it('come with just the variables that they need', () => {
    const told = Object.fromEntries(functions.map(({ name, environment }) => [name, Object.keys(environment).sort()]));
    const expected = Object.fromEntries(
      FUNCTION_NAMES.map((name) => [name, ENVIRONMENTS[name].map((variable) => ENV[variable]).sort()]),
    );
    expect(told).toEqual(expected);
  });
});

describe('a way into a function', () => {
  it('is open to API Gateway only', () => {
    const principals = resourcesOf('prod', 'realtime', 'AWS::Lambda::Permission').map(
      ([, { Properties }]) => Properties['Principal'],
    );
    expect(new Set(principals)).toEqual(new Set(['apigateway.amazonaws.com']));
  });
});

function title(name: string): string {
  return name.charAt(0).toUpperCase() + name.slice(1);
}
