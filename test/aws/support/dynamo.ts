import { randomUUID } from 'node:crypto';
import {
  BillingMode,
  CreateTableCommand,
  DynamoDBClient,
  GetItemCommand,
  type AttributeValue,
} from '@aws-sdk/client-dynamodb';
import { DYNAMO_TABLES, type DynamoTable, type DynamoTableName } from '@parley/protocol/stores';
import { DynamoDirectory } from '../../../lambdas/ports/directory/dynamodb.ts';
import {
  DynamoApi,
  type Dynamo,
  type Input,
  type Operation,
  type Output,
} from '../../../lambdas/ports/directory/dynamodb/api.ts';
import { SignedHttp } from '../../../lambdas/runtime/aws/signed-http.ts';
import { startEngines, type Engines } from '../../../local/engines/engines.ts';

const REGION = 'eu-west-1';
const CREDENTIALS = { accessKeyId: 'TEST', secretAccessKey: 'test' };

/** No test is about how quick the machine is. */
const TIMES = { callDeadlineMs: 30_000, attemptTimeoutMs: 25_000 };

/** One call as it goes to DynamoDB. */
export interface Call {
  readonly operation: Operation;
  readonly input: unknown;
}

/** What a test puts between the directory and DynamoDB: it may count, fail before, lose the answer after, or do something in between. */
export type Tap = <T>(call: Call, next: () => Promise<T>) => Promise<T>;

/** DynamoDB Local, with tables of its own. */
export class TestDynamo {
  readonly tables = Object.fromEntries(
    Object.keys(DYNAMO_TABLES).map((name) => [name, `t${randomUUID()}-${name}`]),
  ) as Record<DynamoTableName, string>;
  /** The SDK's client, to look from outside. */
  readonly sdk: DynamoDBClient;
  private readonly http: SignedHttp;

  private constructor(private readonly engines: Engines<'dynamodb'>) {
    const endpoint = `http://127.0.0.1:${engines.dynamodb.port}`;
    this.sdk = new DynamoDBClient({ endpoint, region: REGION, credentials: CREDENTIALS });
    this.http = new SignedHttp({ endpoint, service: 'dynamodb', region: REGION, credentials: CREDENTIALS });
  }

  static async start(): Promise<TestDynamo> {
    const dynamo = new TestDynamo(await startEngines({ only: ['dynamodb'] }));
    await Promise.all(Object.keys(DYNAMO_TABLES).map((name) => dynamo.createTable(name as DynamoTableName)));
    return dynamo;
  }

  /** A directory on these tables. */
  directory({ now = Date.now, tap }: { readonly now?: () => number; readonly tap?: Tap } = {}): DynamoDirectory {
    const api = new DynamoApi(this.http, TIMES);
    const tapped: Dynamo = {
      call: <O extends Operation>(operation: O, input: Input<O>): Promise<Output<O>> => {
        const next = (): Promise<Output<O>> => api.call(operation, input);
        return tap ? tap({ operation, input }, next) : next();
      },
    };
    return new DynamoDirectory({ dynamo: tapped, tables: this.tables, now });
  }

  /** An item as it stands, read by the SDK. */
  async item(table: DynamoTableName, key: Record<string, string>): Promise<Record<string, AttributeValue> | undefined> {
    const Key = Object.fromEntries(Object.entries(key).map(([name, S]) => [name, { S }]));
    const command = new GetItemCommand({ TableName: this.tables[table], Key, ConsistentRead: true });
    return (await this.sdk.send(command)).Item;
  }

  async close(): Promise<void> {
    this.sdk.destroy();
    this.http.destroy();
    await this.engines.stop();
  }

  private async createTable(name: DynamoTableName): Promise<void> {
    const { partitionKey, sortKey }: DynamoTable = DYNAMO_TABLES[name];
    const keys = [partitionKey, ...(sortKey ? [sortKey] : [])];
    await this.sdk.send(
      new CreateTableCommand({
        TableName: this.tables[name],
        BillingMode: BillingMode.PAY_PER_REQUEST,
        AttributeDefinitions: keys.map((key) => ({ AttributeName: key.name, AttributeType: key.type })),
        KeySchema: keys.map((key, i) => ({ AttributeName: key.name, KeyType: i === 0 ? 'HASH' : 'RANGE' })),
      }),
    );
  }
}
