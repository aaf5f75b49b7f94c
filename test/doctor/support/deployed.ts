import type { StageName } from '../../../lib/stages.ts';
import { resourcesOf, STACKS, templatesOf, type StackName } from '../../infra/harness.ts';

export const ACCOUNT = '123456789012';
export const REGION = 'eu-west-1';

type Json = Record<string, unknown>;

/** What AWS holds, in the shapes of its answers. Tests change it. */
export interface AwsState {
  readonly stacks: Map<string, { status: string; reason?: string; outputs: Record<string, string> }>;
  /** Answers of Keyspaces' GetTable, by `keyspace.table`. */
  readonly logTables: Map<string, Json>;
  readonly tables: Map<string, { table: Json; ttl: Json; recovery: string }>;
  clusters: Json[];
  topics: Json[];
  readonly functions: Map<string, Json>;
  mappings: Json[];
}

/** A stage as it stands once CloudFormation has made what its templates say. */
export function deployedState(stage: StageName, socketUrl: string): AwsState {
  const { realtime } = templatesOf(stage);
  const outputKeys = Object.keys((realtime.toJSON() as { Outputs: Json }).Outputs);
  const stacks = STACKS.map((part) => {
    const outputs = part === 'realtime' ? Object.fromEntries(outputKeys.map((key) => [key, socketUrl])) : {};
    return [`parley-${stage}-${part}`, { status: 'CREATE_COMPLETE', outputs }] as const;
  });
  const properties = (stack: StackName, type: string): Json[] =>
    resourcesOf(stage, stack, type).map(([, { Properties }]) => Properties);
  const clusterName = properties('stream', 'AWS::MSK::Cluster')[0]!['ClusterName'] as string;
  return {
    stacks: new Map(stacks),
    logTables: new Map(properties('data', 'AWS::Cassandra::Table').map(logTable)),
    tables: new Map(properties('data', 'AWS::DynamoDB::Table').map(dynamoTable)),
    clusters: [
      {
        clusterType: 'PROVISIONED',
        clusterArn: clusterArn(`${clusterName}2`),
        clusterName: `${clusterName}2`,
        state: 'FAILED',
      },
      { clusterType: 'PROVISIONED', clusterArn: clusterArn(clusterName), clusterName, state: 'ACTIVE' },
    ],
    topics: properties('stream', 'AWS::MSK::Topic').map(topic),
    functions: new Map(
      [...properties('stream', 'AWS::Lambda::Function'), ...properties('realtime', 'AWS::Lambda::Function')].map(
        (fn) => [
          fn['FunctionName'] as string,
          { FunctionName: fn['FunctionName'], State: 'Active', LastUpdateStatus: 'Successful' },
        ],
      ),
    ),
    mappings: properties('realtime', 'AWS::Lambda::EventSourceMapping').map(({ Topics, BatchSize }, i) => ({
      UUID: `00000000-0000-4000-8000-00000000000${i}`,
      EventSourceArn: clusterArn(clusterName),
      FunctionArn: `arn:aws:lambda:${REGION}:${ACCOUNT}:function:parley-${stage}-${Topics ? 'deliver' : 'repair'}`,
      Topics,
      BatchSize,
      State: 'Enabled',
      StateTransitionReason: 'USER_INITIATED',
      LastProcessingResult: i === 0 ? 'OK' : 'No records processed',
    })),
  };
}

const clusterArn = (name: string): string =>
  `arn:aws:kafka:${REGION}:${ACCOUNT}:cluster/${name}/5f3c1b7e-0000-4000-8000-000000000000-2`;

function logTable(table: Json): [string, Json] {
  const { KeyspaceName: keyspaceName, TableName: tableName } = table as { KeyspaceName: string; TableName: string };
  const answer = {
    keyspaceName,
    tableName,
    resourceArn: `arn:aws:cassandra:${REGION}:${ACCOUNT}:/keyspace/${keyspaceName}/table/${tableName}`,
    creationTimestamp: 1_790_000_000.123,
    status: 'ACTIVE',
    pointInTimeRecovery: { status: table['PointInTimeRecoveryEnabled'] === true ? 'ENABLED' : 'DISABLED' },
    ttl: { status: 'ENABLED' },
    defaultTimeToLive: table['DefaultTimeToLive'],
  };
  return [`${keyspaceName}.${tableName}`, answer];
}

function dynamoTable(table: Json): [string, { table: Json; ttl: Json; recovery: string }] {
  const name = table['TableName'] as string;
  const stream = table['StreamSpecification'] as Json | undefined;
  const ttl = table['TimeToLiveSpecification'] as { AttributeName: string } | undefined;
  const recovery = table['PointInTimeRecoverySpecification'] as { PointInTimeRecoveryEnabled: boolean };
  const description = {
    TableName: name,
    TableStatus: 'ACTIVE',
    CreationDateTime: 1_790_000_000.123,
    ...(stream && { StreamSpecification: { StreamEnabled: true, ...stream } }),
  };
  return [
    name,
    {
      table: description,
      ttl: ttl ? { TimeToLiveStatus: 'ENABLED', AttributeName: ttl.AttributeName } : { TimeToLiveStatus: 'DISABLED' },
      recovery: recovery.PointInTimeRecoveryEnabled ? 'ENABLED' : 'DISABLED',
    },
  ];
}

function topic({ TopicName, PartitionCount, ReplicationFactor }: Json): Json {
  return {
    topicArn: `arn:aws:kafka:${REGION}:${ACCOUNT}:topic/x/${String(TopicName)}`,
    topicName: TopicName,
    partitionCount: PartitionCount,
    replicationFactor: ReplicationFactor,
    outOfSyncReplicaCount: 0,
  };
}
