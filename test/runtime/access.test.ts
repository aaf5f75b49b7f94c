import type { Statement } from '../../local/assembly/policies.ts';
import { Access, decide } from '../../local/aws/access.ts';
import { asksOf as cqlAsksOf } from '../../local/aws/cql-statement.ts';
import { asksOf as dynamoAsksOf } from '../../local/aws/dynamodb.ts';
import { ACCOUNT_ID, allow, makeFunction, removeFolders } from './fixtures.ts';

afterAll(removeFolders);

const TABLE = 'arn:aws:dynamodb:eu-west-1:000000000000:table/items';
const deny = (actions: string[], resources: string[]): Statement => ({
  ...allow(actions, resources),
  effect: 'Deny',
  from: 'test/deny',
});
const allowed = (statements: Statement[], action: string, resource = TABLE, context = {}): boolean =>
  decide(statements, { action, resource, context }).allowed;

describe('the policies of a role', () => {
  it('allow what they name, and nothing else', () => {
    const statements = [allow(['dynamodb:GetItem', 'dynamodb:Query'], [TABLE])];
    expect(allowed(statements, 'dynamodb:GetItem')).toBe(true);
    expect(allowed(statements, 'DynamoDB:getitem')).toBe(true);
    expect(allowed(statements, 'dynamodb:PutItem')).toBe(false);
    expect(allowed(statements, 'dynamodb:GetItem', `${TABLE}2`)).toBe(false);
    expect(allowed([], 'dynamodb:GetItem')).toBe(false);
  });

  it('know wildcards in actions and resources', () => {
    const statements = [allow(['dynamodb:*Item', 's3:Get?bject'], ['arn:aws:dynamodb:*:*:table/it*'])];
    expect(allowed(statements, 'dynamodb:GetItem')).toBe(true);
    expect(allowed(statements, 'dynamodb:Query')).toBe(false);
    expect(allowed(statements, 's3:GetObject')).toBe(true);
  });

  it('deny before they allow', () => {
    const decision = decide([allow(['*'], ['*']), deny(['dynamodb:PutItem'], [TABLE])], {
      action: 'dynamodb:PutItem',
      resource: TABLE,
    });
    expect(decision).toEqual({ allowed: false, why: 'denied by test/deny' });
    expect(allowed([allow(['*'], ['*']), deny(['dynamodb:PutItem'], [TABLE])], 'dynamodb:GetItem')).toBe(true);
  });

  it.each([
    ['StringEquals', ['a', 'b'], 'b', true],
    ['StringEquals', ['a'], 'A', false],
    ['StringEquals', ['a'], undefined, false],
    ['StringNotEquals', ['a'], 'b', true],
    ['StringNotEquals', ['a'], undefined, true],
    ['StringLike', ['a*'], 'abc', true],
    ['ArnLike', ['arn:aws:lambda:*:*:function:*'], 'arn:aws:lambda:eu-west-1:0:function:f', true],
    ['ArnLike', ['arn:aws:lambda:*:*:function:*'], undefined, false],
  ])('hold only under their conditions: %s %j of %j is %s', (operator, values, value, holds) => {
    const statements = [allow(['a:B'], ['*'], [{ operator, key: 'kms:ViaService', values }])];
    expect(allowed(statements, 'a:B', '*', value === undefined ? {} : { 'kms:ViaService': value })).toBe(holds);
  });

  it('are told from what the service does with the role: code is known by its function', () => {
    const log: string[] = [];
    const notByCode: Statement = {
      ...deny(['ec2:CreateNetworkInterface'], ['*']),
      conditions: [{ operator: 'ArnLike', key: 'lambda:SourceFunctionArn', values: ['arn:aws:lambda:*'] }],
    };
    const fn = makeFunction('fn', '', { statements: [allow(['ec2:CreateNetworkInterface'], ['*']), notByCode] });
    const access = new Access(new Map([['fn', fn]]), ACCOUNT_ID, (line) => log.push(line));
    const ask = { action: 'ec2:CreateNetworkInterface', resource: '*' };
    expect(access.allowsService('fn', ask)).toBe(true);
    expect(access.allows('fn', ask)).toBe(false);
    expect(log).toEqual(['REFUSED fn: ec2:CreateNetworkInterface on *: denied by test/deny']);
  });

  it('of a function itself say which routes may invoke it', () => {
    const log: string[] = [];
    const access = new Access(new Map(), ACCOUNT_ID, (line) => log.push(line));
    const permission = {
      action: 'lambda:InvokeFunction',
      principal: 'apigateway.amazonaws.com',
      sourceArn: 'arn:api/test/$connect',
    };
    expect(access.admits([permission], 'fn', 'arn:api/test/$connect')).toBe(true);
    expect(access.admits([permission], 'fn', 'arn:api/test/other')).toBe(false);
    expect(access.admits([{ ...permission, principal: 'sns.amazonaws.com' }], 'fn', 'arn:api/test/$connect')).toBe(
      false,
    );
    expect(log).toHaveLength(2);
    expect(log[0]).toBe('REFUSED API Gateway: lambda:InvokeFunction on fn: no permission admits arn:api/test/other');
  });
});

describe('what a call asks for', () => {
  it.each<[string, Parameters<typeof dynamoAsksOf>[1], string[]]>([
    ['GetItem', { TableName: 'items' }, ['dynamodb:GetItem']],
    ['BatchGetItem', { RequestItems: { items: {} } }, ['dynamodb:BatchGetItem']],
    [
      'TransactWriteItems',
      {
        TransactItems: [
          { Put: { TableName: 'items' } },
          { ConditionCheck: { TableName: 'items' } },
          { Update: { TableName: 'items' } },
        ],
      },
      ['dynamodb:PutItem', 'dynamodb:ConditionCheckItem', 'dynamodb:UpdateItem'],
    ],
  ])('of DynamoDB: %s', (operation, parameters, actions) => {
    const asks = dynamoAsksOf(operation, parameters, 'arn:aws:dynamodb:eu-west-1:000000000000');
    expect(asks).toEqual(actions.map((action) => ({ action, resource: TABLE })));
  });

  it('of DynamoDB names the index, and every table of a batch', () => {
    expect(dynamoAsksOf('Query', { TableName: 't', IndexName: 'i' }, 'arn')).toEqual([
      { action: 'dynamodb:Query', resource: 'arn:table/t/index/i' },
    ]);
    expect(dynamoAsksOf('BatchGetItem', { RequestItems: { a: {}, b: {} } }, 'arn')).toHaveLength(2);
    expect(dynamoAsksOf('ExecuteStatement', {}, 'arn')).toBeUndefined();
  });

  it.each([
    ['SELECT a, b FROM messages WHERE c = ?', ['cassandra:Select /keyspace/ks/table/messages']],
    ["SELECT * FROM system.local WHERE key='local'", ['cassandra:Select /keyspace/system/table/local']],
    ['INSERT INTO "other"."rows" (a) VALUES (?)', ['cassandra:Modify /keyspace/other/table/rows']],
    [
      'INSERT INTO messages (a) VALUES (?) IF NOT EXISTS',
      ['cassandra:Modify /keyspace/ks/table/messages', 'cassandra:Select /keyspace/ks/table/messages'],
    ],
    [
      'update messages SET a = ? WHERE b = ? IF a = ?',
      ['cassandra:Modify /keyspace/ks/table/messages', 'cassandra:Select /keyspace/ks/table/messages'],
    ],
    ['DELETE a FROM messages WHERE b = ?', ['cassandra:Modify /keyspace/ks/table/messages']],
    ['DROP TABLE messages', ['cassandra:Drop /keyspace/ks']],
    ['TRUNCATE messages', ['cassandra:Truncate /keyspace/ks']],
  ])('of Keyspaces: %s', (statement, asks) => {
    expect(cqlAsksOf(statement, 'ks').map(({ action, path }) => `${action} ${path}`)).toEqual(asks);
  });
});
