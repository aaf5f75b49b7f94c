import { randomBytes } from 'node:crypto';
import { connect } from 'node:net';
import { Admin } from '@platformatic/kafka';
import { Client } from 'cassandra-driver';
import type {
  CacheUserDefinition,
  CqlTableDefinition,
  DynamoTableDefinition,
  QueueDefinition,
  Stores,
  TopicDefinition,
} from '../assembly/stores.ts';
import { callDynamo, callSqs, putInS3, type Endpoint } from '../engine-calls.ts';
import { CASSANDRA_DATA_CENTER } from '../engines/cassandra.ts';

export type EngineEndpoints = Readonly<Record<'cassandra' | 'kafka' | 'dynamodb' | 'redis' | 'ministack', Endpoint>>;

export interface StoresMade {
  /** How Cassandra calls its data centre. */
  readonly dataCenter: string;
  /** The passwords of the cache's users. */
  readonly cachePasswordOf: (userName: string) => string | undefined;
}

/** Creates everything that the template keeps its data in, side by side. */
export async function createStores(stores: Stores, engines: EngineEndpoints, region: string): Promise<StoresMade> {
  const users = stores.caches.flatMap((cache) => cache.users);
  const passwords = new Map(users.map(({ name }) => [name, randomBytes(24).toString('base64url')]));
  const cachePasswordOf = (userName: string): string | undefined => passwords.get(userName);
  await Promise.all([
    createCqlTables(stores, engines.cassandra, CASSANDRA_DATA_CENTER),
    createDynamoTables(stores.tables, engines.dynamodb),
    createTopics(stores.topics, engines.kafka),
    createCacheUsers(users, cachePasswordOf, engines.redis),
    createQueues(stores.queues, engines.ministack, region),
    createBuckets(stores.buckets, engines.ministack, region),
  ]);
  return { dataCenter: CASSANDRA_DATA_CENTER, cachePasswordOf };
}

/** One node holds everything once. */
const REPLICATION = "{'class': 'SimpleStrategy', 'replication_factor': 1}";
const CACHE_TIMEOUT_MS = 5_000;

/** Creates the keyspace and its tables as the template says, unless they are there. */
async function createCqlTables(
  { keyspaces, cqlTables }: Pick<Stores, 'keyspaces' | 'cqlTables'>,
  { host, port }: Endpoint,
  dataCenter: string,
): Promise<void> {
  const client = new Client({ contactPoints: [`${host}:${port}`], localDataCenter: dataCenter });
  try {
    for (const keyspace of keyspaces) {
      await client.execute(`CREATE KEYSPACE IF NOT EXISTS ${keyspace} WITH replication = ${REPLICATION}`);
    }
    for (const table of cqlTables) await client.execute(createTable(table));
  } finally {
    await client.shutdown();
  }
}

export function createTable({
  keyspace,
  name,
  columns,
  partitionKey,
  clusteringKey,
  ttlSeconds,
}: CqlTableDefinition): string {
  const key = [`(${partitionKey.join(', ')})`, ...clusteringKey.map((column) => column.name)].join(', ');
  const order = clusteringKey.map((column) => `${column.name} ${column.order}`).join(', ');
  return (
    `CREATE TABLE IF NOT EXISTS ${keyspace}.${name} ` +
    `(${columns.map((column) => `${column.name} ${column.type}`).join(', ')}, PRIMARY KEY (${key})) ` +
    `WITH default_time_to_live = ${ttlSeconds}${order === '' ? '' : ` AND CLUSTERING ORDER BY (${order})`}`
  );
}

/** Creates the DynamoDB tables as the template says, unless they are there. */
async function createDynamoTables(tables: readonly DynamoTableDefinition[], endpoint: Endpoint): Promise<void> {
  const { TableNames: existing = [] } = (await callDynamo(endpoint, 'ListTables', {})) as { TableNames?: string[] };
  await Promise.all(
    tables.map(async ({ name, create, ttlAttribute }) => {
      if (existing.includes(name)) return;
      await callDynamo(endpoint, 'CreateTable', create);
      if (ttlAttribute === undefined) return;
      const TimeToLiveSpecification = { AttributeName: ttlAttribute, Enabled: true };
      await callDynamo(endpoint, 'UpdateTimeToLive', { TableName: name, TimeToLiveSpecification });
    }),
  );
}

/** Creates the topics as the template says, unless they are there, with one replica: there is one broker. */
async function createTopics(topics: readonly TopicDefinition[], { host, port }: Endpoint): Promise<void> {
  const admin = new Admin({ clientId: 'parley-setup', bootstrapBrokers: [`${host}:${port}`] });
  try {
    const existing = new Set(await admin.listTopics());
    for (const { name, partitions, settings } of topics) {
      if (existing.has(name)) continue;
      const configs = Object.entries(settings).map(([setting, value]) => ({ name: setting, value }));
      await admin.createTopics({ topics: [name], partitions, replicas: 1, configs });
    }
  } finally {
    await admin.close();
  }
}

/** Creates the queues as the template says, unless they are there; those that others move their messages to come first. */
async function createQueues(queues: readonly QueueDefinition[], endpoint: Endpoint, region: string): Promise<void> {
  const isLast = ({ attributes }: QueueDefinition): boolean => 'RedrivePolicy' in attributes;
  for (const { name, attributes } of [...queues].sort((a, b) => Number(isLast(a)) - Number(isLast(b)))) {
    await callSqs(endpoint, region, 'CreateQueue', { QueueName: name, Attributes: attributes });
  }
}

/** Creates the buckets, unless they are there. */
async function createBuckets(buckets: Stores['buckets'], endpoint: Endpoint, region: string): Promise<void> {
  const where = `<CreateBucketConfiguration><LocationConstraint>${region}</LocationConstraint></CreateBucketConfiguration>`;
  // Without a word S3 takes the first Region, which refuses its own name.
  for (const { name } of buckets) await putInS3(endpoint, region, `/${name}`, region === 'us-east-1' ? '' : where);
}

/** Creates the cache's users with the rights that the template gives them; each with its password. */
async function createCacheUsers(
  users: readonly CacheUserDefinition[],
  passwordOf: (userName: string) => string | undefined,
  endpoint: Endpoint,
): Promise<void> {
  const commands = users.map(({ name, accessString }) =>
    ['ACL', 'SETUSER', name, 'reset', `>${passwordOf(name) ?? ''}`, ...accessString.split(' ')].map(
      (part) => `$${Buffer.byteLength(part)}\r\n${part}\r\n`,
    ),
  );
  if (commands.length === 0) return;
  const replies = await converse(
    endpoint,
    commands.map((parts) => `*${parts.length}\r\n${parts.join('')}`).join(''),
    commands.length,
  );
  const refused = replies.findIndex((reply) => reply !== '+OK');
  if (refused >= 0)
    throw new Error(`the cache refused the user ${users[refused]?.name ?? ''}: ${replies[refused] ?? ''}`);
}

function converse({ host, port }: Endpoint, text: string, repliesMax: number): Promise<string[]> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, host);
    let received = '';
    socket.setTimeout(CACHE_TIMEOUT_MS, () => socket.destroy(new Error('the cache did not answer')));
    socket.on('error', reject);
    socket.on('data', (chunk) => {
      received += chunk.toString();
      const lines = received.split('\r\n');
      if (lines.length <= repliesMax) return;
      socket.destroy();
      resolve(lines.slice(0, repliesMax));
    });
    socket.write(text);
  });
}
