import { setTimeout as sleep } from 'node:timers/promises';
import { Consumer, stringDeserializers } from '@platformatic/kafka';
import type { MSKEvent, MSKRecord } from 'aws-lambda';
import { KAFKA_TOPICS } from '@parley/protocol/stores';

type StreamConsumer = (event: MSKEvent) => Promise<unknown>;

interface Partition {
  readonly name: string;
  readonly records: MSKRecord[];
}

const RETRY_MS = 20;
const BATCH_MAX = 100;

/** Reads all topics of a broker from their beginning, once for a whole test file: joining a group takes seconds. */
export class TopicReader {
  private readonly partitions = new Map<string, Partition>();
  private readonly wakers = new Set<() => void>();

  private constructor(private readonly consumer: Consumer<string, string, string, string>) {}

  static async open(broker: string): Promise<TopicReader> {
    const consumer = new Consumer({
      clientId: 'test',
      groupId: `test-${process.pid}`,
      bootstrapBrokers: [broker],
      deserializers: stringDeserializers,
      maxWaitTime: 50,
    });
    const reader = new TopicReader(consumer);
    const stream = await consumer.consume({ topics: Object.keys(KAFKA_TOPICS), mode: 'earliest', autocommit: false });
    // A test may kill the broker.
    stream.on('error', () => undefined);
    stream.on('data', ({ topic, partition, offset, key, value, timestamp }) => {
      reader.add({
        topic,
        partition,
        offset: Number(offset),
        timestamp: Number(timestamp),
        timestampType: 'CREATE_TIME',
        key: Buffer.from(key).toString('base64'),
        value: Buffer.from(value).toString('base64'),
        headers: [],
      });
    });
    return reader;
  }

  /** Hands the records from `start` on to a consumer, as an event source mapping does: a batch per partition, again while it fails. */
  from(start: ReadonlyMap<string, number>, consumer: StreamConsumer): { stop(): void } {
    const draining = new Set<string>();
    const done = new Map(start);
    let stopped = false;
    const drain = async ({ name, records }: Partition): Promise<void> => {
      if (draining.has(name)) return;
      draining.add(name);
      for (;;) {
        const next = done.get(name) ?? 0;
        const batch = records.filter(({ offset }) => offset >= next).slice(0, BATCH_MAX);
        if (stopped || batch.length === 0) break;
        try {
          await consumer({
            eventSource: 'aws:kafka',
            eventSourceArn: 'arn',
            bootstrapServers: '',
            records: { [name]: batch },
          });
          done.set(name, batch.at(-1)!.offset + 1);
        } catch {
          await sleep(RETRY_MS);
        }
      }
      draining.delete(name);
    };
    const wake = (): void => {
      for (const partition of this.partitions.values()) void drain(partition);
    };
    this.wakers.add(wake);
    wake();
    return {
      stop: () => {
        stopped = true;
        this.wakers.delete(wake);
      },
    };
  }

  close(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.consumer.close(true, (error) => (error ? reject(error) : resolve()));
    });
  }

  private add(record: MSKRecord): void {
    const name = `${record.topic}-${record.partition}`;
    let partition = this.partitions.get(name);
    if (!partition) this.partitions.set(name, (partition = { name, records: [] }));
    partition.records.push(record);
    for (const wake of this.wakers) wake();
  }
}
