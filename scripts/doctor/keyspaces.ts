import { GetTableCommand, KeyspacesClient } from '@aws-sdk/client-keyspaces';
import { CQL_TABLES, type CqlTable } from '@parley/protocol/stores';
import { missing, type Deployment } from './deployment.ts';
import { asking, judge, type Finding } from './finding.ts';
import { tableAdvice } from './table-advice.ts';

const DAY_SECONDS = 86_400;

/** The tables of the message log: active, ending old rows by themselves, and recoverable. */
export async function checkKeyspaces(deployment: Deployment): Promise<readonly Finding[]> {
  const client = new KeyspacesClient(deployment.aws.clientConfig);
  try {
    const tables = Object.entries<CqlTable>(CQL_TABLES);
    const findings = await Promise.all(tables.map(([name, table]) => checkTable(deployment, client, name, table)));
    return findings.flat();
  } finally {
    client.destroy();
  }
}

function checkTable(
  deployment: Deployment,
  client: KeyspacesClient,
  tableName: string,
  { ttlSeconds }: CqlTable,
): Promise<readonly Finding[]> {
  const keyspaceName = `parley_${deployment.stage.name}`;
  const name = `log ${keyspaceName}.${tableName}`;
  const question = { name, rights: 'cassandra:Select', ifMissing: missing(deployment, 'data') };
  return asking(question, async () => {
    const abortSignal = deployment.aws.deadline();
    const table = await client.send(new GetTableCommand({ keyspaceName, tableName }), { abortSignal });
    const { status = 'without a status', defaultTimeToLive = 0, pointInTimeRecovery } = table;
    const recovery = pointInTimeRecovery?.status ?? 'DISABLED';
    const update = `aws keyspaces update-table --keyspace-name ${keyspaceName} --table-name ${tableName}`;
    return [
      judge(name, status === 'ACTIVE', status, tableAdvice(status)),
      judge(
        `${name}: TTL`,
        defaultTimeToLive === ttlSeconds,
        defaultTimeToLive === 0 ? 'off' : `${defaultTimeToLive / DAY_SECONDS} d`,
        `It should be ${ttlSeconds / DAY_SECONDS} d. Set it: ${update} --ttl status=ENABLED --default-time-to-live ${ttlSeconds}. ` +
          'Rows that were written meanwhile keep the end that they were written with.',
      ),
      judge(
        `${name}: recovery`,
        recovery === 'ENABLED',
        recovery,
        `Turn it on: ${update} --point-in-time-recovery status=ENABLED. It reaches back to that moment, not further.`,
      ),
    ];
  });
}
