import { createHash } from 'node:crypto';
import type { MSKEvent, MSKRecord } from 'aws-lambda';
import type { EventStream, ParkedRecord, Topic, TopicRecords } from './port.ts';

/** What a Lambda function with a Kafka event source is: it succeeds for the whole batch, or throws for all of it. */
export type StreamConsumer = (event: MSKEvent) => Promise<unknown>;

const PARTITIONS = 8;
/** As the event source mapping's `BatchSize`. */
const BATCH_MAX = 100;
const PARKED_KEPT_MAX = 1_000;
/** After a failed batch: the first wait, doubled up to the last. */
const RETRY_MIN_MS = 50;
const RETRY_MAX_MS = 5_000;

interface Partition {
  readonly topic: Topic;
  readonly number: number;
  readonly waiting: MSKRecord[];
  nextOffset: number;
  draining: boolean;
}

/** A stream in this process, which hands batches to its consumer as an event source mapping does. Gone when the process ends. */
export class MemoryEventStream implements EventStream {
  /** The latest records that were put aside. */
  readonly parked: ParkedRecord[] = [];
  private readonly partitions = new Map<string, Partition>();
  private consumer: StreamConsumer | undefined;
  private closed = false;
  private readonly idleWaiters: (() => void)[] = [];

  constructor(private readonly now: () => number = Date.now) {}

  /** From now on `consumer` gets every batch. Without one, records wait. */
  consume(consumer: StreamConsumer): void {
    this.consumer = consumer;
    for (const partition of this.partitions.values()) void this.drain(partition);
  }

  publish<T extends Topic>(topic: T, key: string, record: TopicRecords[T]): Promise<void> {
    const partition = this.partitionOf(topic, key);
    partition.waiting.push({
      topic,
      partition: partition.number,
      offset: partition.nextOffset++,
      timestamp: this.now(),
      timestampType: 'CREATE_TIME',
      key: Buffer.from(key).toString('base64'),
      value: Buffer.from(JSON.stringify(record)).toString('base64'),
      headers: [],
    });
    void this.drain(partition);
    return Promise.resolve();
  }

  park(record: ParkedRecord): Promise<void> {
    this.parked.push(record);
    if (this.parked.length > PARKED_KEPT_MAX) this.parked.shift();
    return Promise.resolve();
  }

  /** Resolves once every record that was published so far is consumed. */
  idle(): Promise<void> {
    if (this.isIdle()) return Promise.resolve();
    return new Promise((resolve) => this.idleWaiters.push(resolve));
  }

  /** Stops handing out; what waits is dropped. */
  close(): void {
    this.closed = true;
    for (const partition of this.partitions.values()) partition.waiting.length = 0;
    this.tellIdle();
  }

  private partitionOf(topic: Topic, key: string): Partition {
    const number = createHash('sha1').update(key).digest().readUInt32BE(0) % PARTITIONS;
    const name = `${topic}-${number}`;
    let partition = this.partitions.get(name);
    if (!partition) {
      partition = { topic, number, waiting: [], nextOffset: 0, draining: false };
      this.partitions.set(name, partition);
    }
    return partition;
  }

  /** One batch of a partition at a time, in order; a batch that fails comes again, before all behind it. */
  private async drain(partition: Partition): Promise<void> {
    if (partition.draining || !this.consumer) return;
    partition.draining = true;
    let waitMs = RETRY_MIN_MS;
    while (partition.waiting.length > 0 && !this.closed) {
      const batch = partition.waiting.slice(0, BATCH_MAX);
      try {
        await this.consumer(mskEvent(partition, batch));
        partition.waiting.splice(0, batch.length);
        waitMs = RETRY_MIN_MS;
      } catch {
        await new Promise((resolve) => setTimeout(resolve, waitMs).unref());
        waitMs = Math.min(waitMs * 2, RETRY_MAX_MS);
      }
    }
    partition.draining = false;
    this.tellIdle();
  }

  private isIdle(): boolean {
    for (const { waiting, draining } of this.partitions.values()) if (waiting.length > 0 || draining) return false;
    return true;
  }

  private tellIdle(): void {
    if (this.isIdle() || this.closed) for (const resolve of this.idleWaiters.splice(0)) resolve();
  }
}

function mskEvent(partition: Partition, records: MSKRecord[]): MSKEvent {
  return {
    eventSource: 'aws:kafka',
    eventSourceArn: 'arn:aws:kafka:local:000000000000:cluster/parley-local/embedded',
    bootstrapServers: 'embedded',
    records: { [`${partition.topic}-${partition.number}`]: records },
  };
}
