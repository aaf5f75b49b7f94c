import { Client } from 'cassandra-driver';
import { CQL_TABLES, type CqlTable } from '@parley/protocol/stores';
import { CASSANDRA_DATA_CENTER } from './cassandra.ts';

/** One node holds everything once. */
const REPLICATION = "{'class': 'SimpleStrategy', 'replication_factor': 1}";

/** Creates a keyspace with the tables of the log in a local Cassandra, unless it is there. */
export async function createKeyspace(
  { host, port }: { readonly host: string; readonly port: number },
  keyspace: string,
): Promise<void> {
  const client = new Client({ contactPoints: [`${host}:${port}`], localDataCenter: CASSANDRA_DATA_CENTER });
  try {
    await client.execute(`CREATE KEYSPACE IF NOT EXISTS ${keyspace} WITH replication = ${REPLICATION}`);
    for (const [name, table] of Object.entries<CqlTable>(CQL_TABLES))
      await client.execute(createTable(keyspace, name, table));
  } finally {
    await client.shutdown();
  }
}

/** The CQL of one table of the plain data from which the templates are made too. */
export function createTable(keyspace: string, name: string, table: CqlTable): string {
  const { partitionKey, clusteringKey, columns, ttlSeconds } = table;
  const clustering = Object.entries(clusteringKey);
  const definitions = [
    ...Object.entries(partitionKey),
    ...clustering.map(([column, { type }]) => [column, type]),
    ...Object.entries(columns),
  ].map(([column, type]) => `${column} ${type}`);
  const key = [`(${Object.keys(partitionKey).join(', ')})`, ...clustering.map(([column]) => column)].join(', ');
  const order = clustering.map(([column, { order }]) => `${column} ${order}`).join(', ');
  return (
    `CREATE TABLE IF NOT EXISTS ${keyspace}.${name} (${definitions.join(', ')}, PRIMARY KEY (${key}))` +
    ` WITH CLUSTERING ORDER BY (${order}) AND default_time_to_live = ${ttlSeconds}`
  );
}
