import { randomUUID } from 'node:crypto';
import type { Access, Ask } from './access.ts';
import { Forwarder } from './forwarder.ts';
import type { Answer, Call, HttpService } from './https-services.ts';

export interface DynamoDbOptions {
  readonly host: string;
  readonly port: number;
  readonly access: Access;
  /** `arn:aws:dynamodb:{region}:{account}` */
  readonly arnPrefix: string;
}

type Tables = Readonly<Record<string, unknown>>;

interface Parameters {
  readonly TableName?: string;
  readonly IndexName?: string;
  readonly RequestItems?: Tables;
  readonly TransactItems?: readonly Readonly<Record<string, { readonly TableName?: string }>>[];
}

const TARGET = /^DynamoDB_\d+\.(\w+)$/;
/** Operations on one table, which are actions of the same name. */
const ON_TABLE = new Set([
  'GetItem',
  'PutItem',
  'UpdateItem',
  'DeleteItem',
  'Query',
  'Scan',
  'DescribeTable',
  'DescribeTimeToLive',
]);
/** A transaction is authorized as the single actions in it. */
const IN_TRANSACTION: Readonly<Record<string, string>> = {
  Get: 'GetItem',
  Put: 'PutItem',
  Update: 'UpdateItem',
  Delete: 'DeleteItem',
  ConditionCheck: 'ConditionCheckItem',
};

/** DynamoDB: what the caller's role allows goes to DynamoDB Local, unchanged. */
export class DynamoDb implements HttpService {
  readonly signingName = 'dynamodb';
  private readonly forwarder: Forwarder;

  constructor(private readonly options: DynamoDbOptions) {
    this.forwarder = new Forwarder(options);
  }

  async answer(call: Call): Promise<Answer> {
    const operation = TARGET.exec(String(call.headers['x-amz-target']))?.[1] ?? '';
    const asks = asksOf(operation, JSON.parse(call.body.toString()) as Parameters, this.options.arnPrefix);
    if (!asks) return this.refuse('UnknownOperationException', `${operation} is not served on this machine`);
    const refused = asks.find((ask) => !this.options.access.allows(call.functionName, ask));
    if (refused) {
      const message = `User: ${call.functionName} is not authorized to perform: ${refused.action} on resource: ${refused.resource}`;
      return this.refuse('AccessDeniedException', message);
    }
    this.options.access.onCall(call.functionName, `dynamodb:${operation}`);
    return this.forwarder.forward(call);
  }

  refuse(type: string, message: string): Answer {
    const body = JSON.stringify({ __type: `com.amazon.coral.service#${type}`, message });
    return {
      status: 400,
      headers: { 'Content-Type': 'application/x-amz-json-1.0', 'x-amzn-RequestId': randomUUID() },
      body,
    };
  }

  close(): void {
    this.forwarder.close();
  }
}

/** What the operation asks for; undefined for one that is not known here. */
export function asksOf(operation: string, parameters: Parameters, arnPrefix: string): Ask[] | undefined {
  const arn = (table = '', index?: string): string =>
    `${arnPrefix}:table/${table}${index === undefined ? '' : `/index/${index}`}`;
  const ask = (action: string, resource: string): Ask => ({ action: `dynamodb:${action}`, resource });
  if (ON_TABLE.has(operation)) return [ask(operation, arn(parameters.TableName, parameters.IndexName))];
  if (operation === 'BatchGetItem' || operation === 'BatchWriteItem') {
    return Object.keys(parameters.RequestItems ?? {}).map((table) => ask(operation, arn(table)));
  }
  if (operation === 'TransactGetItems' || operation === 'TransactWriteItems') {
    return (parameters.TransactItems ?? []).flatMap((item) =>
      Object.entries(item).map(([kind, { TableName }]) => ask(IN_TRANSACTION[kind] ?? kind, arn(TableName))),
    );
  }
  return undefined;
}
