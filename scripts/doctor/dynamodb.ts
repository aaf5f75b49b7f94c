import {
  DescribeContinuousBackupsCommand,
  DescribeTableCommand,
  DescribeTimeToLiveCommand,
  DynamoDBClient,
  type TableDescription,
} from '@aws-sdk/client-dynamodb';
import { DYNAMO_TABLES, type DynamoTable } from '@parley/protocol/stores';
import { missing, type Deployment } from './deployment.ts';
import { asking, judge, type Finding } from './finding.ts';
import { tableAdvice } from './table-advice.ts';

/** The tables of DynamoDB: active, and with the recovery, TTL and stream that the protocol gives them. */
export async function checkDynamoDb(deployment: Deployment): Promise<readonly Finding[]> {
  const client = new DynamoDBClient(deployment.aws.clientConfig);
  try {
    const tables = Object.entries<DynamoTable>(DYNAMO_TABLES);
    const findings = tables.flatMap(([name, table]) => {
      const tableName = `parley-${deployment.stage.name}-${name}`;
      return new TableChecks(deployment, client, tableName).of(table);
    });
    return (await Promise.all(findings)).flat();
  } finally {
    client.destroy();
  }
}

class TableChecks {
  private readonly name: string;

  constructor(
    private readonly deployment: Deployment,
    private readonly client: DynamoDBClient,
    private readonly tableName: string,
  ) {
    this.name = `table ${tableName}`;
  }

  of({ stream, precious, ttlAttribute }: DynamoTable): Promise<readonly Finding[]>[] {
    const checks = [this.state(stream)];
    if (precious) checks.push(this.recovery());
    if (ttlAttribute !== undefined) checks.push(this.ttl(ttlAttribute));
    return checks;
  }

  private state(stream: string | undefined): Promise<readonly Finding[]> {
    return this.ask('', 'dynamodb:DescribeTable', async (abortSignal) => {
      const command = new DescribeTableCommand({ TableName: this.tableName });
      const { Table = {} } = await this.client.send(command, { abortSignal });
      const status = Table.TableStatus ?? 'without a status';
      const state = judge(this.name, status === 'ACTIVE', status, tableAdvice(status));
      return stream === undefined ? [state] : [state, this.stream(Table, stream)];
    });
  }

  private stream({ StreamSpecification }: TableDescription, wanted: string): Finding {
    const found = StreamSpecification?.StreamEnabled ? (StreamSpecification.StreamViewType ?? 'unknown') : 'off';
    return judge(
      `${this.name}: stream`,
      found === wanted,
      found,
      `It should be ${wanted}: repair reads it. Turn it on (after turning it off, where it is another): aws dynamodb update-table ` +
        `--table-name ${this.tableName} --stream-specification StreamEnabled=true,StreamViewType=${wanted}`,
    );
  }

  private recovery(): Promise<readonly Finding[]> {
    return this.ask(': recovery', 'dynamodb:DescribeContinuousBackups', async (abortSignal) => {
      const command = new DescribeContinuousBackupsCommand({ TableName: this.tableName });
      const { ContinuousBackupsDescription: backups } = await this.client.send(command, { abortSignal });
      const found = backups?.PointInTimeRecoveryDescription?.PointInTimeRecoveryStatus ?? 'DISABLED';
      const advice =
        `Turn it on: aws dynamodb update-continuous-backups --table-name ${this.tableName} ` +
        '--point-in-time-recovery-specification PointInTimeRecoveryEnabled=true. It reaches back to that moment, not further.';
      return [judge(`${this.name}: recovery`, found === 'ENABLED', found, advice)];
    });
  }

  private ttl(attribute: string): Promise<readonly Finding[]> {
    return this.ask(': TTL', 'dynamodb:DescribeTimeToLive', async (abortSignal) => {
      const command = new DescribeTimeToLiveCommand({ TableName: this.tableName });
      const { TimeToLiveDescription: ttl } = await this.client.send(command, { abortSignal });
      const isOn = ttl?.TimeToLiveStatus === 'ENABLED' || ttl?.TimeToLiveStatus === 'ENABLING';
      const found = isOn ? `by ${ttl.AttributeName ?? 'no attribute'}` : (ttl?.TimeToLiveStatus ?? 'DISABLED');
      const advice =
        `It should go by ${attribute}, or the table grows for ever: aws dynamodb update-time-to-live ` +
        `--table-name ${this.tableName} --time-to-live-specification Enabled=true,AttributeName=${attribute}`;
      return [judge(`${this.name}: TTL`, isOn && ttl.AttributeName === attribute, found, advice)];
    });
  }

  private ask(
    aspect: string,
    rights: string,
    ask: (abortSignal: AbortSignal) => Promise<readonly Finding[]>,
  ): Promise<readonly Finding[]> {
    const question = { name: this.name + aspect, rights, ifMissing: missing(this.deployment, 'data') };
    return asking(question, () => ask(this.deployment.aws.deadline()));
  }
}
