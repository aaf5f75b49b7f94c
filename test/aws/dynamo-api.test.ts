import { DynamoApi, ConditionFailed } from '../../lambdas/ports/directory/dynamodb/api.ts';
import { batchGet } from '../../lambdas/ports/directory/dynamodb/batch-get.ts';
import { Unavailable } from '../../lambdas/ports/unavailable.ts';
import { SignedHttp } from '../../lambdas/runtime/aws/signed-http.ts';
import { ScriptedServer, type Answer } from './support/scripted-server.ts';

const credentials = { accessKeyId: 'TEST', secretAccessKey: 'secret' };
const KEY = { pk: { S: 'a' } };

let server: ScriptedServer;
let http: SignedHttp;
let api: DynamoApi;

beforeEach(async () => {
  server = await ScriptedServer.start();
  http = new SignedHttp({ endpoint: server.url, service: 'dynamodb', region: 'eu-west-1', credentials });
  api = new DynamoApi(http);
});
afterEach(async () => {
  http.destroy();
  await server.close();
});

const failure = (type: string, more: object = {}, status = 400): Answer => ({
  status,
  body: JSON.stringify({ __type: `com.amazonaws.dynamodb.v20120810#${type}`, message: 'because', ...more }),
});
const get = (of = api) => of.call('GetItem', { TableName: 't', Key: KEY });

it('asks in the JSON protocol of DynamoDB', async () => {
  server.answer = () => ({ body: '{"Item":{"pk":{"S":"a"}}}' });
  expect(await get()).toEqual({ Item: { pk: { S: 'a' } } });
  expect(server.received[0]).toMatchObject({
    method: 'POST',
    path: '/',
    headers: { 'x-amz-target': 'DynamoDB_20120810.GetItem', 'content-type': 'application/x-amz-json-1.0' },
    body: JSON.stringify({ TableName: 't', Key: KEY }),
  });
});

const BUSY: [string, Answer][] = [
  ['busy', failure('ThrottlingException')],
  ['throttled', failure('ProvisionedThroughputExceededException')],
  ['in conflict', failure('TransactionConflictException')],
  ['broken', failure('InternalServerError', {}, 500)],
  ['not there', { status: 503, body: '<html>' }],
  ['silent', 'silence'],
  ['gone', 'hang up'],
  [
    'in conflict within a transaction',
    failure('TransactionCanceledException', {
      CancellationReasons: [{ Code: 'None' }, { Code: 'TransactionConflict' }],
    }),
  ],
];

it.each(BUSY)('asks again while DynamoDB is %s', async (_what, answer) => {
  const impatient = new DynamoApi(http, { attemptTimeoutMs: 50 });
  server.answer = (_request, count) => (count <= 2 ? answer : { body: '{}' });
  expect(await get(impatient)).toEqual({});
  expect(server.received).toHaveLength(3);
});

it('gives up in its time, and says what DynamoDB said last', async () => {
  server.answer = () => failure('ThrottlingException');
  const hurried = new DynamoApi(http, { callDeadlineMs: 100 });
  const call = get(hurried);
  await expect(call).rejects.toThrow(Unavailable);
  await expect(call).rejects.toThrow('dynamodb: GetItem: 400 ThrottlingException because');
  expect(server.received.length).toBeGreaterThan(1);
});

it.each(['ValidationException', 'AccessDeniedException', 'ResourceNotFoundException'])(
  'does not ask again after %s, which stays the same',
  async (type) => {
    server.answer = () => failure(type);
    await expect(get()).rejects.toThrow(new Unavailable(`dynamodb: GetItem: 400 ${type} because`));
    expect(server.received).toHaveLength(1);
  },
);

it('tells a condition that failed by name, with the item as it stands', async () => {
  server.answer = () => failure('ConditionalCheckFailedException', { Item: { seq: { N: '7' } } });
  await expect(get()).rejects.toMatchObject({ name: 'ConditionFailed', item: { seq: { N: '7' } } });
});

it('tells which actions of a transaction failed', async () => {
  const CancellationReasons = [{ Code: 'None' }, { Code: 'ConditionalCheckFailed' }, { Code: 'TransactionConflict' }];
  server.answer = () => failure('TransactionCanceledException', { CancellationReasons });
  const call = api.call('TransactWriteItems', { TransactItems: [] });
  await expect(call).rejects.toBeInstanceOf(ConditionFailed);
  await expect(call).rejects.toMatchObject({ failedAt: [1] });
});

describe('a read of many items', () => {
  const places = (count: number) =>
    Array.from({ length: count }, (_, i) => ({ table: 't', key: { pk: { S: `k${i}` } } }));
  const keysIn = (body: string): { pk: { S: string } }[] =>
    (JSON.parse(body) as { RequestItems: { t: { Keys: { pk: { S: string } }[] } } }).RequestItems.t.Keys;

  it('goes on with the keys that DynamoDB left out', async () => {
    server.answer = ({ body }) => {
      const keys = keysIn(body);
      const [now, later] = [keys.slice(0, 40), keys.slice(40)];
      const UnprocessedKeys = later.length > 0 ? { t: { Keys: later, ConsistentRead: true } } : {};
      return { body: JSON.stringify({ Responses: { t: now }, UnprocessedKeys }) };
    };
    const asked = places(100);
    expect(await batchGet(api, asked)).toEqual(asked.map(({ key }) => key));
    expect(server.received.map(({ body }) => keysIn(body).length)).toEqual([100, 60, 20]);
  });

  it('gives up when keys are left out for ever', async () => {
    server.answer = ({ body }) => ({
      body: JSON.stringify({ Responses: {}, UnprocessedKeys: { t: { Keys: keysIn(body) } } }),
    });
    await expect(batchGet(api, places(1))).rejects.toThrow(Unavailable);
  });

  it('asks for a key that is named twice once, and answers it twice', async () => {
    server.answer = ({ body }) => ({ body: JSON.stringify({ Responses: { t: keysIn(body) }, UnprocessedKeys: {} }) });
    const [one, two] = places(2);
    expect(await batchGet(api, [one!, two!, one!])).toEqual([one!.key, two!.key, one!.key]);
    expect(keysIn(server.received[0]!.body)).toHaveLength(2);
  });

  it('keeps the order asked for over more than one request, and tells what is not there', async () => {
    server.answer = ({ body }) => {
      const odd = keysIn(body).filter(({ pk }) => /[13579]$/.test(pk.S));
      return { body: JSON.stringify({ Responses: { t: odd.reverse() }, UnprocessedKeys: {} }) };
    };
    const asked = places(250);
    const found = await batchGet(api, asked);
    expect(found).toEqual(asked.map(({ key }, i) => (i % 2 === 1 ? key : undefined)));
    expect(server.received).toHaveLength(3);
  });
});
