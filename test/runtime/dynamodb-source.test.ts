import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import type { StreamMappingDefinition } from '../../local/assembly/mappings.ts';
import { callDynamo, type Endpoint } from '../../local/engine-calls.ts';
import { startEngines, type Engines } from '../../local/engines/engines.ts';
import { failure, type InvokeResult } from '../../local/lambda/result.ts';
import { DynamoDbSource } from '../../local/sources/dynamodb-source.ts';
import type { FailureRecord } from '../../local/sources/failure-destination.ts';
import { matchesSome } from '../../local/sources/filters.ts';
import { describeWith } from '../require.ts';
import { until } from './fixtures.ts';

const START_MS = 180_000;
const OK: InvokeResult = { payload: 'null', failed: false };

interface StreamEvent {
  readonly Records: {
    readonly eventName: string;
    readonly eventSource: string;
    readonly eventSourceARN: string;
    readonly dynamodb: { readonly Keys: { readonly pk: { readonly S: string } } };
  }[];
}

jest.setTimeout(60_000);

describeWith('engines', 'an event source mapping of a DynamoDB stream', () => {
  let engines: Engines<'dynamodb'>;
  let tableName: string;
  const sources: DynamoDbSource[] = [];

  beforeAll(async () => {
    engines = await startEngines({ only: ['dynamodb'] });
  }, START_MS);

  afterAll(() => engines.stop());

  beforeEach(async () => {
    tableName = `table-${crypto.randomUUID()}`;
    await callDynamo(engines.dynamodb, 'CreateTable', {
      TableName: tableName,
      AttributeDefinitions: [{ AttributeName: 'pk', AttributeType: 'S' }],
      KeySchema: [{ AttributeName: 'pk', KeyType: 'HASH' }],
      BillingMode: 'PAY_PER_REQUEST',
      StreamSpecification: { StreamEnabled: true, StreamViewType: 'NEW_IMAGE' },
    });
  });

  afterEach(async () => {
    await Promise.all(sources.splice(0).map((source) => source.stop()));
  });

  async function poll(
    mapping: Partial<StreamMappingDefinition> = {},
    answer: (keys: string[], invocation: number) => InvokeResult = () => OK,
    endpoint: Endpoint = engines.dynamodb,
  ) {
    const events: StreamEvent[] = [];
    const given: FailureRecord[] = [];
    const source = new DynamoDbSource({
      mapping: {
        kind: 'dynamodb',
        where: 'test/Mapping',
        functionName: 'fn',
        sourceArn: 'arn:stream',
        batchSize: 100,
        windowMs: 0,
        startingPosition: 'TRIM_HORIZON',
        retriesMax: 1,
        recordAgeMaxMs: -1,
        bisect: true,
        reportsItemFailures: false,
        filters: [],
        ...mapping,
      },
      functionArn: 'arn:fn',
      tableName,
      endpoint,
      invoke: (event) => {
        events.push(event as StreamEvent);
        return Promise.resolve(answer(keysOf([event as StreamEvent]), events.length));
      },
      giveUp: (record) => {
        given.push(record);
        return Promise.resolve();
      },
      log: () => undefined,
    });
    await source.start();
    sources.push(source);
    return { events, given, keys: () => keysOf(events) };
  }

  const put = (key: string): Promise<unknown> =>
    callDynamo(engines.dynamodb, 'PutItem', { TableName: tableName, Item: { pk: { S: key } } });

  it('gives the records of the table in their order, as Lambda does', async () => {
    for (const key of ['a', 'b', 'c']) await put(key);
    const { events, keys } = await poll();
    await until(() => keys().length === 3, 'all came');
    expect(keys()).toEqual(['a', 'b', 'c']);
    expect(events[0]?.Records[0]).toMatchObject({
      eventName: 'INSERT',
      eventSource: 'aws:dynamodb',
      eventSourceARN: 'arn:stream',
      dynamodb: {
        NewImage: { pk: { S: 'a' } },
        StreamViewType: 'NEW_IMAGE',
        SequenceNumber: expect.stringMatching(/^\d+$/) as string,
      },
    });
  });

  it('with LATEST takes what is written from its start on', async () => {
    await put('old');
    const { keys } = await poll({ startingPosition: 'LATEST' });
    await put('new');
    await until(() => keys().length > 0, 'it came');
    expect(keys()).toEqual(['new']);
  });

  it.each(['ExpiredIteratorException', 'TrimmedDataAccessException'])(
    'goes on after the last record when its iterator is of no use any more: %s',
    async (type) => {
      const { endpoint, refuseNext, close } = await inFrontOf(engines.dynamodb, type);
      try {
        refuseNext();
        const { keys } = await poll({}, () => OK, endpoint);
        await put('a');
        await until(() => keys().length === 1, 'the first came');
        refuseNext();
        await put('b');
        await until(() => keys().length > 1, 'the second came');
        expect(keys()).toEqual(['a', 'b']);
      } finally {
        await close();
      }
    },
  );

  it('gathers a batch for as long as the window is open', async () => {
    const { events, keys } = await poll({ windowMs: 1_000 });
    await put('a');
    await put('b');
    await until(() => keys().length === 2, 'both came');
    expect(events).toHaveLength(1);
  });

  it('leaves out what no filter names', async () => {
    const { keys } = await poll({ filters: ['{"eventName":["REMOVE"]}'] });
    await put('a');
    await callDynamo(engines.dynamodb, 'DeleteItem', { TableName: tableName, Key: { pk: { S: 'a' } } });
    await until(() => keys().length > 0, 'the removal came');
    expect(keys()).toEqual(['a']);
  });

  it('halves a batch that fails until the poison is alone, gives it up, and goes on', async () => {
    for (const key of ['a', 'poison', 'b', 'c']) await put(key);
    const { keys, given } = await poll({ retriesMax: 3 }, (batch) =>
      batch.includes('poison') ? failure('Error', 'no') : OK,
    );
    await until(() => given.length > 0 && ['a', 'b', 'c'].every((key) => keys().includes(key)), 'all others came');
    expect(given).toHaveLength(1);
    expect(given[0]).toMatchObject({
      requestContext: { condition: 'RetryAttemptsExhausted' },
      DDBStreamBatchInfo: { batchSize: 1 },
    });
  });
});

describe('a filter of a mapping', () => {
  it.each([
    ['{"eventName":["INSERT","MODIFY"]}', true],
    ['{"eventName":["REMOVE"]}', false],
    ['{"dynamodb":{"Keys":{"pk":{"S":["a"]}}}}', true],
    ['{"dynamodb":{"Keys":{"sk":{"S":["a"]}}}}', false],
  ])('%s fits: %s', (pattern, fits) => {
    expect(matchesSome([pattern], { eventName: 'INSERT', dynamodb: { Keys: { pk: { S: 'a' } } } })).toBe(fits);
  });

  it('is refused when it compares', () => {
    expect(() => matchesSome(['{"eventName":[{"prefix":"INS"}]}'], { eventName: 'INSERT' })).toThrow(
      /not evaluated here/,
    );
  });
});

function keysOf(events: readonly StreamEvent[]): string[] {
  return events.flatMap(({ Records }) => Records.map(({ dynamodb }) => dynamodb.Keys.pk.S));
}

/** Hands everything on to the engine, and refuses the next `GetRecords` when it is told to. */
async function inFrontOf({ host, port }: Endpoint, type: string) {
  let isRefusing = false;
  const server = createServer((request, response) => {
    void text(request).then(async (body) => {
      const headers = Object.fromEntries(
        ['content-type', 'x-amz-target', 'authorization'].map((name) => [name, String(request.headers[name])]),
      );
      if (isRefusing && headers['x-amz-target']?.endsWith('.GetRecords') === true) {
        isRefusing = false;
        response.writeHead(400).end(JSON.stringify({ __type: `com.amazonaws.dynamodb.v20120810#${type}` }));
        return;
      }
      const answer = await fetch(`http://${host}:${port}/`, { method: 'POST', headers, body });
      response.writeHead(answer.status).end(await answer.text());
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    endpoint: { host: '127.0.0.1', port: (server.address() as AddressInfo).port },
    refuseNext: () => (isRefusing = true),
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
