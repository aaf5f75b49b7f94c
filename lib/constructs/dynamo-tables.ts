import { Aws } from 'aws-cdk-lib';
import * as dynamodb from 'aws-cdk-lib/aws-dynamodb';
import { Construct } from 'constructs';
import { DYNAMO_TABLES, type DynamoTable, type DynamoTableName } from '@parley/protocol/stores';
import { ENV } from '../../lambdas/runtime/env.ts';
import type { Stage } from '../stages.ts';
import { removalPolicyOf, type EncryptionKey } from './encryption-key.ts';
import type { ParleyFunction } from './parley-function.ts';

/** What each way of using a table needs, and no more. Transactions are authorized as the single actions in them. */
const RIGHTS = {
  directory: {
    /** Makes the user a member of the workspace, or renews the name. */
    admit: ['dynamodb:GetItem', 'dynamodb:UpdateItem'],
    /** Heads and rosters by their keys. */
    look: ['dynamodb:BatchGetItem'],
    /** Also lists: members, conversations. */
    read: ['dynamodb:BatchGetItem', 'dynamodb:Query'],
    /** Also raises receipts. */
    raise: ['dynamodb:BatchGetItem', 'dynamodb:Query', 'dynamodb:UpdateItem'],
    /** Also takes numbers, and keeps their ids. */
    append: ['dynamodb:BatchGetItem', 'dynamodb:GetItem', 'dynamodb:PutItem', 'dynamodb:Query', 'dynamodb:UpdateItem'],
    /** Takes numbers in nobody's name. */
    finish: ['dynamodb:BatchGetItem', 'dynamodb:PutItem', 'dynamodb:UpdateItem'],
    /** Also makes conversations, and changes who is in them. */
    manage: [
      'dynamodb:BatchGetItem',
      'dynamodb:ConditionCheckItem',
      'dynamodb:DeleteItem',
      'dynamodb:GetItem',
      'dynamodb:PutItem',
      'dynamodb:Query',
      'dynamodb:UpdateItem',
    ],
  },
  connections: {
    look: ['dynamodb:BatchGetItem'],
    /** Adds and removes single connections of a user's item. */
    register: ['dynamodb:UpdateItem'],
    /** Finds the connections of users, and removes those that are gone. */
    serve: ['dynamodb:BatchGetItem', 'dynamodb:UpdateItem'],
  },
  sends: {
    /** Reads, writes and repoints dedupe rows. */
    reserve: ['dynamodb:BatchGetItem', 'dynamodb:PutItem'],
    /** Repoints those that it was told of. */
    repoint: ['dynamodb:PutItem'],
  },
} as const satisfies Record<DynamoTableName, Record<string, readonly string[]>>;

const VARIABLES = {
  directory: ENV.directoryTable,
  connections: ENV.connectionsTable,
  sends: ENV.sendsTable,
} as const satisfies Record<DynamoTableName, string>;

/** What pollers do with the role of the function that they invoke. */
const STREAM_RIGHTS = [
  'dynamodb:DescribeStream',
  'dynamodb:GetRecords',
  'dynamodb:GetShardIterator',
  'dynamodb:ListStreams',
];

const WRITES = /:(Put|Update|Delete)Item$/;

/** One DynamoDB table. */
export class ParleyTable<T extends DynamoTableName> extends Construct {
  private readonly table: dynamodb.Table;

  constructor(
    scope: Construct,
    id: string,
    private readonly name: T,
    stage: Stage,
    private readonly encryption: EncryptionKey,
  ) {
    super(scope, id);
    const definition: DynamoTable = DYNAMO_TABLES[name];
    const { partitionKey, sortKey, ttlAttribute, stream, precious } = definition;
    this.table = new dynamodb.Table(this, 'Table', {
      tableName: `parley-${stage.name}-${name}`,
      partitionKey: attribute(partitionKey),
      ...(sortKey && { sortKey: attribute(sortKey) }),
      ...(ttlAttribute !== undefined && { timeToLiveAttribute: ttlAttribute }),
      ...(stream && { stream: dynamodb.StreamViewType[stream] }),
      billingMode: dynamodb.BillingMode.PAY_PER_REQUEST,
      encryption: dynamodb.TableEncryption.CUSTOMER_MANAGED,
      encryptionKey: encryption.key,
      pointInTimeRecoverySpecification: { pointInTimeRecoveryEnabled: precious },
      deletionProtection: precious && stage.keepData,
      removalPolicy: removalPolicyOf(stage),
    });
  }

  /** Tells `fn` the table's name, and allows just the actions of that way of using it. */
  bindTo(fn: ParleyFunction, access: keyof (typeof RIGHTS)[T] & string): void {
    const rights: Readonly<Record<string, readonly string[]>> = RIGHTS[this.name];
    const actions = rights[access] ?? [];
    const title = this.name.charAt(0).toUpperCase() + this.name.slice(1);
    fn.setEnvironment(VARIABLES[this.name], this.table.tableName);
    fn.allow(title, actions, [this.table.tableArn]);
    // DynamoDB opens the table's key in the caller's name.
    this.allowKey(
      fn,
      actions.some((action) => WRITES.test(action)) ? ['kms:Decrypt', 'kms:GenerateDataKey'] : ['kms:Decrypt'],
    );
  }

  /** Allows the pollers of `fn` to read the table's stream. Answers its ARN. @throws when the table has none */
  bindStream(fn: ParleyFunction): string {
    const { tableStreamArn } = this.table;
    if (tableStreamArn === undefined) throw new Error(`the table ${this.name} has no stream`);
    fn.allow('Outbox', STREAM_RIGHTS, [tableStreamArn]);
    this.allowKey(fn, ['kms:Decrypt']);
    return tableStreamArn;
  }

  private allowKey(fn: ParleyFunction, actions: readonly string[]): void {
    fn.allowKey('DataKey', actions, this.encryption.key.keyArn, `dynamodb.${Aws.REGION}.amazonaws.com`);
  }
}

function attribute({ name, type }: DynamoTable['partitionKey']): dynamodb.Attribute {
  return { name, type: type === 'S' ? dynamodb.AttributeType.STRING : dynamodb.AttributeType.NUMBER };
}
