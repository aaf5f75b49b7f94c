import { Admin, Producer, stringSerializers } from '@platformatic/kafka';
import type { KafkaMappingDefinition } from '../../local/assembly/mappings.ts';
import { startEngines, type Engines } from '../../local/engines/engines.ts';
import { failure, type InvokeResult } from '../../local/lambda/result.ts';
import type { FailureRecord } from '../../local/sources/failure-destination.ts';
import { KafkaSource } from '../../local/sources/kafka-source.ts';
import { describeWith } from '../require.ts';
import { until } from './fixtures.ts';

const START_MS = 180_000;
const SOURCE_ARN = 'arn:aws:kafka:eu-west-1:000000000000:cluster/parley/local';

interface KafkaEvent {
  readonly records: Record<
    string,
    { topic: string; partition: number; offset: number; key?: string; value: string; headers: unknown[] }[]
  >;
}

jest.setTimeout(60_000);

describeWith('engines', 'an event source mapping of Kafka', () => {
  let engines: Engines<'kafka'>;
  let admin: Admin;
  let producer: Producer<string, string, string, string>;
  let topic: string;
  const sources: KafkaSource[] = [];

  beforeAll(async () => {
    engines = await startEngines({ only: ['kafka'] });
    const bootstrapBrokers = [`127.0.0.1:${engines.kafka.port}`];
    admin = new Admin({ clientId: 'test', bootstrapBrokers });
    producer = new Producer({ clientId: 'test', bootstrapBrokers, serializers: stringSerializers });
  }, START_MS);

  afterAll(async () => {
    await producer.close();
    await admin.close();
    await engines.stop();
  });

  beforeEach(async () => {
    topic = `topic-${crypto.randomUUID()}`;
    await admin.createTopics({ topics: [topic], partitions: 2, replicas: 1 });
  });

  afterEach(async () => {
    await Promise.all(sources.splice(0).map((source) => source.stop()));
  });

  /** Starts a poller whose function answers as `answer` says; collects the values that it was given, in their order. */
  async function poll(
    mapping: Partial<KafkaMappingDefinition> = {},
    answer: (values: string[], invocation: number) => InvokeResult = () => ({ payload: 'null', failed: false }),
  ) {
    const events: KafkaEvent[] = [];
    const given: { record: FailureRecord; event: unknown }[] = [];
    const source = new KafkaSource({
      mapping: {
        kind: 'kafka',
        where: 'test/Mapping',
        functionName: 'fn',
        sourceArn: SOURCE_ARN,
        batchSize: 100,
        windowMs: 0,
        startingPosition: 'TRIM_HORIZON',
        retriesMax: 1,
        recordAgeMaxMs: -1,
        bisect: false,
        reportsItemFailures: false,
        topic,
        consumerGroup: `group-${topic}`,
        ...mapping,
      },
      functionArn: 'arn:fn',
      broker: engines.kafka,
      bootstrapServers: 'b-1.parley.kafka.eu-west-1.amazonaws.com:9098',
      invoke: (event) => {
        events.push(event as KafkaEvent);
        return Promise.resolve(answer(valuesOf([event as KafkaEvent]), events.length));
      },
      giveUp: (record, event) => {
        given.push({ record, event });
        return Promise.resolve();
      },
      log: () => undefined,
    });
    await source.start();
    sources.push(source);
    return { source, events, given, values: () => valuesOf(events) };
  }

  const write = (...values: string[]): Promise<unknown> =>
    producer.send({ messages: values.map((value) => ({ topic, key: value.split(' ')[0] ?? '', value })), acks: -1 });

  it('joins again when the broker was gone, and misses nothing', async () => {
    const { values } = await poll();
    await write('1', '2');
    await until(() => values().length === 2, 'both came');
    await engines.kafka.kill();
    await engines.kafka.start();
    await write('3', '4');
    // What was not committed when the broker went comes again.
    await until(() => new Set(values()).size === 4, 'the others came', 30_000);
    expect([...new Set(values())].sort()).toEqual(['1', '2', '3', '4']);
  });

  it('makes the event that Lambda makes', async () => {
    await producer.send({
      messages: [
        {
          topic,
          partition: 1,
          key: 'recordKey',
          value: '{"k":1}',
          headers: { headerKey: 'headerValue' },
          timestamp: 1_545_084_650_987n,
        },
      ],
      acks: -1,
    });
    const { events } = await poll();
    await until(() => events.length > 0, 'an event came');
    expect(events[0]).toEqual({
      eventSource: 'aws:kafka',
      eventSourceArn: SOURCE_ARN,
      bootstrapServers: 'b-1.parley.kafka.eu-west-1.amazonaws.com:9098',
      records: {
        [`${topic}-1`]: [
          {
            topic,
            partition: 1,
            offset: 0,
            timestamp: 1_545_084_650_987,
            timestampType: 'CREATE_TIME',
            key: 'cmVjb3JkS2V5',
            value: 'eyJrIjoxfQ==',
            headers: [{ headerKey: [104, 101, 97, 100, 101, 114, 86, 97, 108, 117, 101] }],
          },
        ],
      },
    });
  });

  it('keeps the order of each key, in batches no larger than the mapping says', async () => {
    const written = Array.from({ length: 40 }, (_, i) => `${['a', 'b', 'c'][i % 3] ?? ''} ${i}`);
    await write(...written);
    const { events, values } = await poll({ batchSize: 7 });
    await until(() => values().length === 40, 'all came');
    for (const key of ['a', 'b', 'c']) {
      expect(values().filter((value) => value.startsWith(key))).toEqual(
        written.filter((value) => value.startsWith(key)),
      );
    }
    for (const { records } of events) expect(Object.values(records).flat().length).toBeLessThanOrEqual(7);
  });

  it('goes on after the last batch that succeeded when it starts again', async () => {
    await write('a 1', 'a 2');
    const first = await poll();
    await until(() => first.values().length === 2, 'the first came');
    await first.source.stop();
    await write('a 3');
    const second = await poll();
    await until(() => second.values().length > 0, 'the next came');
    expect(second.values()).toEqual(['a 3']);
  });

  it('with LATEST takes what is written from its start on', async () => {
    await write('a old');
    const { values } = await poll({ startingPosition: 'LATEST' });
    await write('a new');
    await until(() => values().length > 0, 'the new one came');
    expect(values()).toEqual(['a new']);
  });

  it('tries a batch again, then gives it up with all that finds it, and goes on', async () => {
    const { values, given } = await poll({ batchSize: 1 }, (batch) =>
      batch.includes('a poison') ? failure('Error', 'no') : { payload: 'null', failed: false },
    );
    await write('a poison');
    await write('a good');
    await until(() => values().includes('a good'), 'the one behind it came');
    expect(values()).toEqual(['a poison', 'a poison', 'a good']);
    expect(given).toHaveLength(1);
    const [{ record, event }] = given as [{ record: FailureRecord; event: KafkaEvent }];
    expect(valuesOf([event])).toEqual(['a poison']);
    expect(record).toMatchObject({
      requestContext: { functionArn: 'arn:fn', condition: 'RetryAttemptsExhausted', approximateInvokeCount: 2 },
      KafkaBatchInfo: {
        batchSize: 1,
        recordsInfo: { [Object.keys(event.records)[0] ?? '']: { firstRecordOffset: '0', lastRecordOffset: '0' } },
      },
    });
  });

  it('takes the records again from the first that failed on, where the function names it', async () => {
    await write('a 1', 'a 2', 'a 3');
    let failures = 0;
    const { events, values } = await poll({ reportsItemFailures: true }, (batch) => {
      const isFirst = batch.includes('a 2') && failures++ === 0;
      const place = Object.keys(events[0]?.records ?? {})[0];
      const failed = isFirst ? [{ itemIdentifier: { 'topic-partition': place, offset: 1 } }] : [];
      return { payload: JSON.stringify({ batchItemFailures: failed }), failed: false };
    });
    await until(() => failures === 2 && values().at(-1) === 'a 3', 'the second was taken twice, then the third');
    expect(values().filter((value) => value === 'a 1')).toHaveLength(1);
    expect(values().filter((value) => value === 'a 2')).toHaveLength(2);
  });
});

function valuesOf(events: readonly KafkaEvent[]): string[] {
  return events.flatMap(({ records }) =>
    Object.values(records)
      .flat()
      .map(({ value }) => Buffer.from(value, 'base64').toString()),
  );
}
