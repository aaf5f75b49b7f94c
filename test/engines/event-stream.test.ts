import { Admin, ListOffsetTimestamps } from '@platformatic/kafka';
import { KafkaEventStream } from '../../lambdas/ports/event-stream/kafka.ts';
import { ParkedQueue } from '../../lambdas/ports/event-stream/parked-queue.ts';
import type { TopicRecords } from '../../lambdas/ports/event-stream/port.ts';
import { Unavailable } from '../../lambdas/ports/unavailable.ts';
import { userKey } from '../../lambdas/runtime/keys.ts';
import { startEngines, type Engines } from '../../local/engines/engines.ts';
import { createTopics, type Partitions } from '../../local/engines/topics.ts';
import { until } from '../contracts/contract.ts';
import { describeEventStream, type OpenedStream } from '../contracts/event-stream.ts';
import { describeWith } from '../require.ts';
import { openQueueServer, QUEUE_CREDENTIALS } from './support/queue-server.ts';
import { retry } from './support/retry.ts';
import { TopicReader } from './support/topic-reader.ts';

const START_MS = 120_000;
const PARTITIONS: Partitions = { 'conversation-events': 6, signals: 6 };

jest.setTimeout(30_000);

describeWith('engines', 'the event stream in Kafka', () => {
  let engines: Engines<'kafka'>;
  let broker: string;
  let reader: TopicReader;
  let admin: Admin;
  beforeAll(async () => {
    engines = await startEngines({ only: ['kafka'] });
    broker = `${engines.kafka.host}:${engines.kafka.port}`;
    await createTopics(engines.kafka, PARTITIONS);
    admin = new Admin({ clientId: 'test', bootstrapBrokers: [broker] });
    reader = await TopicReader.open(broker);
  }, START_MS);
  afterAll(async () => {
    await reader.close();
    await admin.close();
    await engines.stop();
  }, START_MS);

  /** The offsets from which on records are those of one test. */
  const ends = async (): Promise<Map<string, number>> => {
    const topics = Object.entries(PARTITIONS).map(([name, count]) => ({
      name,
      partitions: Array.from({ length: count }, (_, partitionIndex) => ({
        partitionIndex,
        timestamp: ListOffsetTimestamps.LATEST,
      })),
    }));
    const listed = await admin.listOffsets({ topics });
    return new Map(
      listed.flatMap(({ name, partitions }) =>
        partitions.map((one) => [`${name}-${one.partitionIndex}`, Number(one.offset)]),
      ),
    );
  };

  const open = async (): Promise<OpenedStream> => {
    const start = await ends();
    const queue = await openQueueServer();
    const parkedQueue = new ParkedQueue({
      queueUrl: `${queue.endpoint}/000000000000/parked`,
      signing: { region: 'eu-west-1', credentials: () => Promise.resolve(QUEUE_CREDENTIALS) },
    });
    const port = new KafkaEventStream({ brokers: [broker], parkedQueue });
    let reading: { stop(): void } | undefined;
    return {
      port,
      consume: (consumer) => (reading = reader.from(start, consumer)),
      parked: () => Promise.resolve(queue.messages),
      close: async () => {
        reading?.stop();
        await port.close();
        await queue.close();
      },
    };
  };

  describeEventStream('KafkaEventStream', open);

  describe('KafkaEventStream', () => {
    const record: TopicRecords['signals'] = {
      v: 1,
      type: 'close',
      user: userKey({ workspaceId: 'w' }, 'ana'),
      connectionId: 'c',
    };

    it('puts a key where the clients of Kafka itself put it', async () => {
      // The hashes are those of the tests of Kafka's own client.
      const HASHES = { '21': -973_932_308, foobar: -790_332_482, 'a-little-bit-long-string': -985_981_536 };
      const start = await ends();
      const stream = new KafkaEventStream({ brokers: [broker] });
      const seen = new Map<string, number>();
      const reading = reader.from(start, (event) => {
        for (const { key, partition } of Object.values(event.records).flat()) {
          seen.set(Buffer.from(key, 'base64').toString(), partition);
        }
        return Promise.resolve();
      });
      try {
        for (const key of Object.keys(HASHES)) await stream.publish('signals', key, record);
        await until(() => seen.size >= 3);
        const expected = Object.entries(HASHES).map(([key, hash]) => [key, (hash & 0x7fffffff) % PARTITIONS.signals]);
        expect(Object.fromEntries(seen)).toEqual(Object.fromEntries(expected));
      } finally {
        reading.stop();
        await stream.close();
      }
    });

    it('is not available where no broker answers, nor for a topic that is not there', async () => {
      const nowhere = new KafkaEventStream({ brokers: ['127.0.0.1:1'], timeoutMs: 500 });
      await expect(nowhere.publish('signals', 'k', record)).rejects.toThrow(Unavailable);
      await nowhere.close();
      const stream = new KafkaEventStream({ brokers: [broker], timeoutMs: 1_000 });
      await expect(stream.publish('no-such-topic' as never, 'k', record as never)).rejects.toThrow(Unavailable);
      await stream.close();
    });

    it('tells by an error whether it could park a record, which it can only with a queue', async () => {
      const parked = { topic: 'signals', partition: 0, offset: 1, code: 'INTERNAL' };
      await expect(new KafkaEventStream({ brokers: [broker] }).park(parked)).rejects.toThrow(/no queue/);
    });

    it(
      'publishes again when its broker is back',
      async () => {
        const stream = new KafkaEventStream({ brokers: [broker], timeoutMs: 1_000 });
        try {
          await stream.publish('signals', 'k', record);
          await engines.kafka.kill();
          await expect(stream.publish('signals', 'k', record)).rejects.toThrow(Unavailable);
          await engines.kafka.start();
          await retry(() => stream.publish('signals', 'k', record));
        } finally {
          await stream.close();
        }
      },
      START_MS,
    );
  });
});
