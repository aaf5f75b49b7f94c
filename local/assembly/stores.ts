import { Fields } from './fields.ts';
import { attributeOf, type Identity } from './physical.ts';
import type { Properties, Resource } from './resolver.ts';

export interface DynamoTableDefinition {
  readonly name: string;
  readonly arn: string;
  /** The template's own words, which `CreateTable` takes as they are. */
  readonly create: Properties;
  readonly ttlAttribute?: string;
  /** The ARN by which a mapping names the stream. */
  readonly streamArn?: string;
}

export interface CqlTableDefinition {
  readonly where: string;
  readonly keyspace: string;
  readonly name: string;
  readonly columns: readonly { readonly name: string; readonly type: string }[];
  readonly partitionKey: readonly string[];
  readonly clusteringKey: readonly { readonly name: string; readonly order: string }[];
  readonly ttlSeconds: number;
}

export interface TopicDefinition {
  readonly name: string;
  readonly partitions: number;
  /** Settings of Kafka, by name. */
  readonly settings: Readonly<Record<string, string>>;
}

export interface CacheDefinition {
  readonly name: string;
  readonly arn: string;
  readonly host: string;
  readonly port: number;
  readonly users: readonly CacheUserDefinition[];
}

export interface CacheUserDefinition {
  readonly id: string;
  readonly name: string;
  readonly arn: string;
  /** What it may do, in the language of the server's ACL. */
  readonly accessString: string;
}

export interface QueueDefinition {
  readonly name: string;
  readonly url: string;
  readonly arn: string;
  /** The template's own words, which `CreateQueue` takes as text. */
  readonly attributes: Readonly<Record<string, string>>;
}

/** What the app keeps its data in. */
export interface Stores {
  readonly tables: readonly DynamoTableDefinition[];
  readonly keyspaces: readonly string[];
  readonly cqlTables: readonly CqlTableDefinition[];
  readonly clusterArn?: string;
  readonly topics: readonly TopicDefinition[];
  readonly caches: readonly CacheDefinition[];
  readonly queues: readonly QueueDefinition[];
  readonly buckets: readonly { readonly name: string; readonly arn: string }[];
}

/** @throws {AssemblyError} */
export function extractStores(resources: readonly Resource[], at: Identity): Stores {
  const ofType = (type: string): Resource[] => resources.filter((resource) => resource.type === type);
  const attribute = ({ type, stackName, logicalId, properties }: Resource, name: string): string =>
    attributeOf(at, type, stackName, logicalId, properties, name);
  const [cluster] = ofType('AWS::MSK::Cluster');
  const users = ofType('AWS::ElastiCache::User').map((user): CacheUserDefinition => {
    const fields = Fields.of(user);
    return {
      id: fields.text('UserId'),
      name: fields.text('UserName'),
      arn: `arn:${at.partition}:elasticache:${at.region}:${at.accountId}:user:${fields.text('UserId')}`,
      accessString: fields.text('AccessString'),
    };
  });
  const groups = ofType('AWS::ElastiCache::UserGroup');
  return {
    tables: ofType('AWS::DynamoDB::Table').map((table) => dynamoTable(table, attribute)),
    keyspaces: ofType('AWS::Cassandra::Keyspace').map(({ ref }) => ref),
    cqlTables: ofType('AWS::Cassandra::Table').map(cqlTable),
    ...(cluster && { clusterArn: cluster.ref }),
    topics: ofType('AWS::MSK::Topic').map(topic),
    caches: ofType('AWS::ElastiCache::ServerlessCache').map((cache): CacheDefinition => {
      const group = groups.find(({ ref }) => ref === cache.properties['UserGroupId']);
      const ids = group ? Fields.of(group).texts('UserIds') : [];
      return {
        name: cache.ref,
        arn: `arn:${at.partition}:elasticache:${at.region}:${at.accountId}:serverlesscache:${cache.ref}`,
        host: attribute(cache, 'Endpoint.Address'),
        port: Number(attribute(cache, 'Endpoint.Port')),
        users: users.filter(({ id }) => ids.includes(id)),
      };
    }),
    queues: ofType('AWS::SQS::Queue').map((queue) => ({
      name: attribute(queue, 'QueueName'),
      url: queue.ref,
      arn: attribute(queue, 'Arn'),
      attributes: Object.fromEntries(
        QUEUE_ATTRIBUTES.filter((name) => name in queue.properties).map((name) => [
          name,
          textOf(queue.properties[name]),
        ]),
      ),
    })),
    buckets: ofType('AWS::S3::Bucket').map((bucket) => ({ name: bucket.ref, arn: attribute(bucket, 'Arn') })),
  };
}

/** What `CreateTable` of DynamoDB Local takes; keys, backups and protection are for the account's own. */
const CREATE_TABLE = [
  'AttributeDefinitions',
  'KeySchema',
  'BillingMode',
  'GlobalSecondaryIndexes',
  'LocalSecondaryIndexes',
] as const;

/** What `CreateQueue` of the engine takes; keys and policies are for the account's own. */
const QUEUE_ATTRIBUTES = [
  'DelaySeconds',
  'FifoQueue',
  'ContentBasedDeduplication',
  'MaximumMessageSize',
  'MessageRetentionPeriod',
  'ReceiveMessageWaitTimeSeconds',
  'RedrivePolicy',
  'VisibilityTimeout',
] as const;

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}

function dynamoTable(table: Resource, attribute: (resource: Resource, name: string) => string): DynamoTableDefinition {
  const fields = Fields.of(table);
  const ttl = fields.optionalObject('TimeToLiveSpecification')?.optionalText('AttributeName');
  const view = fields.optionalObject('StreamSpecification')?.text('StreamViewType');
  const create = Object.fromEntries(
    CREATE_TABLE.filter((name) => name in table.properties).map((name) => [name, table.properties[name]]),
  );
  return {
    name: table.ref,
    arn: attribute(table, 'Arn'),
    create: {
      TableName: table.ref,
      ...create,
      ...(view !== undefined && { StreamSpecification: { StreamEnabled: true, StreamViewType: view } }),
    },
    ...(ttl !== undefined && { ttlAttribute: ttl }),
    ...(view !== undefined && { streamArn: attribute(table, 'StreamArn') }),
  };
}

function cqlTable(resource: Resource): CqlTableDefinition {
  const fields = Fields.of(resource);
  const column = (of: Fields) => ({ name: of.text('ColumnName'), type: of.text('ColumnType') });
  const partition = fields.objects('PartitionKeyColumns').map(column);
  const clustering = fields.objects('ClusteringKeyColumns').map((of) => ({
    ...column(of.object('Column')),
    order: of.optionalText('OrderBy') ?? 'ASC',
  }));
  return {
    where: `${resource.stackName}/${resource.logicalId}`,
    keyspace: fields.text('KeyspaceName'),
    name: fields.text('TableName'),
    columns: [
      ...partition,
      ...clustering.map(({ name, type }) => ({ name, type })),
      ...fields.objects('RegularColumns').map(column),
    ],
    partitionKey: partition.map(({ name }) => name),
    clusteringKey: clustering.map(({ name, order }) => ({ name, order })),
    ttlSeconds: fields.optionalNumber('DefaultTimeToLive') ?? 0,
  };
}

function topic(resource: Resource): TopicDefinition {
  const fields = Fields.of(resource);
  const configs = Buffer.from(fields.optionalText('Configs') ?? '', 'base64').toString('utf8');
  const settings = configs
    .split('\n')
    .filter((line) => line.includes('='))
    .map((line) => [line.slice(0, line.indexOf('=')).trim(), line.slice(line.indexOf('=') + 1).trim()] as const);
  return {
    name: fields.text('TopicName'),
    partitions: fields.optionalNumber('PartitionCount') ?? 1,
    settings: Object.fromEntries(settings),
  };
}
