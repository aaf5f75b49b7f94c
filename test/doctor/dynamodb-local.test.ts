import { CreateTableCommand, DynamoDBClient, UpdateTimeToLiveCommand } from '@aws-sdk/client-dynamodb';
import { DYNAMO_TABLES, type DynamoTable } from '@parley/protocol/stores';
import { STAGES } from '../../lib/stages.ts';
import { startEngines, type Engines } from '../../local/engines/engines.ts';
import { Aws } from '../../scripts/doctor/aws.ts';
import { checkDynamoDb } from '../../scripts/doctor/dynamodb.ts';
import { INPUT } from '../infra/harness.ts';
import { describeWith } from '../require.ts';
import { REGION } from './support/deployed.ts';

jest.setTimeout(120_000);

const CREDENTIALS = { accessKeyId: 'TEST', secretAccessKey: 'test' };

describeWith('engines', 'the doctor before DynamoDB Local', () => {
  let engines: Engines<'dynamodb'>;
  let client: DynamoDBClient;
  let endpoint: string;

  beforeAll(async () => {
    engines = await startEngines({ only: ['dynamodb'] });
    endpoint = `http://127.0.0.1:${engines.dynamodb.port}`;
    client = new DynamoDBClient({ endpoint, region: REGION, credentials: CREDENTIALS });
  });
  afterAll(async () => {
    client.destroy();
    await engines.stop();
  });

  async function createTable(name: string, { partitionKey, sortKey, stream }: DynamoTable): Promise<string> {
    const keys = [partitionKey, ...(sortKey ? [sortKey] : [])];
    const TableName = `parley-small-${name}`;
    await client.send(
      new CreateTableCommand({
        TableName,
        BillingMode: 'PAY_PER_REQUEST',
        AttributeDefinitions: keys.map((key) => ({ AttributeName: key.name, AttributeType: key.type })),
        KeySchema: keys.map((key, i) => ({ AttributeName: key.name, KeyType: i === 0 ? 'HASH' : 'RANGE' })),
        ...(stream && { StreamSpecification: { StreamEnabled: true, StreamViewType: stream } }),
      }),
    );
    return TableName;
  }

  it('sees tables, streams and TTL as a real engine has them, and what is missing', async () => {
    const aws = new Aws({ region: REGION, endpoint, credentials: () => Promise.resolve(CREDENTIALS) });
    const check = async () => {
      const findings = await checkDynamoDb({ aws, stage: STAGES.small(INPUT) });
      return Object.fromEntries(findings.map(({ name, found }) => [name.replace('table parley-small-', ''), found]));
    };
    const { connections, sends } = DYNAMO_TABLES;
    const sendsTable = await createTable('sends', sends);
    const TimeToLiveSpecification = { Enabled: true, AttributeName: sends.ttlAttribute };
    await client.send(new UpdateTimeToLiveCommand({ TableName: sendsTable, TimeToLiveSpecification }));
    await createTable('connections', connections);
    expect(await check()).toMatchObject({
      directory: 'does not exist',
      connections: 'ACTIVE',
      'connections: TTL': 'DISABLED',
      sends: 'ACTIVE',
      'sends: stream': 'NEW_IMAGE',
      'sends: TTL': 'by expiresAt',
    });
  });
});
