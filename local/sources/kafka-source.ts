import { once } from 'node:events';
import { setTimeout as wait } from 'node:timers/promises';
import {
  Consumer,
  MessagesStreamFallbackModes,
  MessagesStreamModes,
  type Message,
  type MessagesStream,
} from '@platformatic/kafka';
import type { KafkaMappingDefinition } from '../assembly/mappings.ts';
import type { InvokeResult } from '../lambda/result.ts';
import { processBatch } from './batches.ts';
import type { FailureRecord } from './failure-destination.ts';

export interface KafkaSourceOptions {
  readonly mapping: KafkaMappingDefinition;
  readonly functionArn: string;
  /** The broker, without TLS and log-in: pollers are the service's own. */
  readonly broker: { readonly host: string; readonly port: number };
  /** As functions know the brokers. */
  readonly bootstrapServers: string;
  readonly invoke: (event: unknown) => Promise<InvokeResult>;
  /** Resolves when it is put aside: only then the source goes on. */
  readonly giveUp: (record: FailureRecord, event: unknown) => Promise<void>;
  readonly log: (line: string) => void;
}

/** Of bytes; without a key, or without a value, where it has none. */
type KafkaRecord = Omit<Message, 'key' | 'value'> & {
  readonly key?: Buffer;
  readonly value?: Buffer;
};

/** AWS begins with one and has at most one per partition. With two, batches hold several partitions and still run side by side. */
const POLLERS = 2;
/** What a poller holds ahead. */
const AHEAD_BATCHES_MAX = 4;
const FETCH_WAIT_MS = 50;
/** How long the group waits for a poller that is gone. */
const SESSION_TIMEOUT_MS = 10_000;

/** How long it waits before it joins the group again when the broker has gone, and how long it waits for a farewell. */
const REJOIN_MS = 1_000;

/** A stay in the group: from joining it until the broker is lost. */
interface Stay {
  readonly consumer: Consumer;
  readonly stream: MessagesStream<Buffer, Buffer, Buffer, Buffer>;
}

/**
 * Feeds a function from a topic, as the event source mapping says: in order within a partition, offsets committed when a batch is done. A broker
 * that goes away is waited for, and read on from what was committed.
 */
export class KafkaSource {
  private readonly ending = new AbortController();
  private consumer: Consumer | undefined;
  private running: Promise<unknown> = Promise.resolve();

  constructor(private readonly options: KafkaSourceOptions) {}

  /** Resolves when the group has its partitions and knows where they end, so that nothing that is written from now on is missed. */
  async start(): Promise<void> {
    this.running = this.stayIn(await this.join());
  }

  /** Ends after the batch under way was tried once more at most. */
  async stop(): Promise<void> {
    this.ending.abort();
    await this.leave();
    await this.running;
  }

  private async join(): Promise<Stay> {
    const { broker, mapping } = this.options;
    const { topic, startingPosition } = mapping;
    const consumer = new Consumer({
      clientId: 'parley-poller',
      groupId: mapping.consumerGroup,
      bootstrapBrokers: [`${broker.host}:${broker.port}`],
      maxWaitTime: FETCH_WAIT_MS,
      minBytes: 1,
      sessionTimeout: SESSION_TIMEOUT_MS,
      rebalanceTimeout: SESSION_TIMEOUT_MS,
      autocommit: false,
    });
    this.consumer = consumer;
    const stream = await consumer.consume({
      topics: [topic],
      mode: MessagesStreamModes.COMMITTED,
      fallbackMode:
        startingPosition === 'LATEST' ? MessagesStreamFallbackModes.LATEST : MessagesStreamFallbackModes.EARLIEST,
      maxWaitTime: FETCH_WAIT_MS,
      autocommit: false,
    });
    if (stream.offsetsToFetch.size === 0) await once(stream, 'offsets');
    return { consumer, stream };
  }

  private hasEnded(): boolean {
    return this.ending.signal.aborted;
  }

  private async stayIn(first: Stay): Promise<void> {
    let stay: Stay | undefined = first;
    while (!this.hasEnded()) {
      try {
        stay ??= await this.join();
        await this.read(stay);
      } catch (error) {
        if (!this.hasEnded())
          this.options.log(`the poller of ${this.options.mapping.topic} joins again: ${String(error)}`);
      }
      stay = undefined;
      await this.leave();
      await wait(REJOIN_MS, undefined, { signal: this.ending.signal }).catch(() => undefined);
    }
  }

  /** Until the source is stopped, or something fails: then the pollers of this stay end, and say nothing of what they have not done. */
  private async read({ stream }: Stay): Promise<void> {
    const lost = new AbortController();
    const signal = AbortSignal.any([this.ending.signal, lost.signal]);
    const pollers = Array.from({ length: POLLERS }, () => new Poller(this.options, signal));
    const hand = async (): Promise<void> => {
      for await (const record of stream) await pollers[record.partition % POLLERS]?.add(record);
      throw new Error('the stream has ended');
    };
    const work = [hand(), ...pollers.map((poller) => poller.run())];
    try {
      await Promise.all(work);
    } finally {
      lost.abort();
      stream.destroy();
      await Promise.allSettled(work);
    }
  }

  private async leave(): Promise<void> {
    const { consumer } = this;
    this.consumer = undefined;
    if (!consumer) return;
    const farewell = new Promise<void>((resolve) => {
      consumer.close(true, () => resolve());
    });
    await Promise.race([farewell, wait(REJOIN_MS, undefined, { ref: false })]);
  }
}

class Poller {
  private readonly records: KafkaRecord[] = [];
  private arrived: (() => void) | undefined;
  private drained: (() => void) | undefined;

  constructor(
    private readonly options: KafkaSourceOptions,
    private readonly signal: AbortSignal,
  ) {
    signal.addEventListener('abort', () => {
      this.arrived?.();
      this.drained?.();
    });
  }

  /** Resolves when there is room for the next. */
  async add(record: KafkaRecord): Promise<void> {
    this.records.push(record);
    this.arrived?.();
    if (this.records.length < this.options.mapping.batchSize * AHEAD_BATCHES_MAX || this.signal.aborted) return;
    await new Promise<void>((resolve) => (this.drained = resolve));
  }

  async run(): Promise<void> {
    const { mapping } = this.options;
    while (!this.signal.aborted) {
      if (this.records.length === 0) {
        await new Promise<void>((resolve) => (this.arrived = resolve));
        continue;
      }
      const batch = this.records.splice(0, mapping.batchSize);
      this.drained?.();
      await processBatch(batch, mapping, {
        invoke: (records) => this.options.invoke(this.eventOf(records)),
        writtenAtMs: ({ timestamp }) => Number(timestamp),
        failedIn,
        giveUp: (records, condition, invocations) => this.giveUp(records, condition, invocations),
        signal: this.signal,
      });
      await Promise.all(lastOfEach(batch).map(async (record) => record.commit()));
    }
  }

  private eventOf(records: readonly KafkaRecord[]): object {
    const grouped: Record<string, object[]> = {};
    for (const record of records) (grouped[`${record.topic}-${record.partition}`] ??= []).push(toEventRecord(record));
    const { mapping, bootstrapServers } = this.options;
    return { eventSource: 'aws:kafka', eventSourceArn: mapping.sourceArn, bootstrapServers, records: grouped };
  }

  private giveUp(
    records: readonly KafkaRecord[],
    condition: FailureRecord['requestContext']['condition'],
    invocations: number,
  ): Promise<void> {
    const { mapping, functionArn, bootstrapServers, giveUp } = this.options;
    const event = this.eventOf(records);
    const recordsInfo = Object.fromEntries(
      lastOfEach(records).map((last) => {
        const first = records.find(({ partition }) => partition === last.partition) ?? last;
        const info = {
          firstRecordOffset: String(first.offset),
          lastRecordOffset: String(last.offset),
          firstRecordTimestamp: new Date(Number(first.timestamp)).toISOString(),
          lastRecordTimestamp: new Date(Number(last.timestamp)).toISOString(),
        };
        return [`${last.topic}-${last.partition}`, info];
      }),
    );
    const record: FailureRecord = {
      requestContext: { requestId: crypto.randomUUID(), functionArn, condition, approximateInvokeCount: invocations },
      responseContext: { statusCode: 200, executedVersion: '$LATEST', functionError: 'Unhandled' },
      version: '1.0',
      timestamp: new Date().toISOString(),
      KafkaBatchInfo: {
        batchSize: records.length,
        eventSourceArn: mapping.sourceArn,
        bootstrapServers,
        payloadSize: Buffer.byteLength(JSON.stringify(event)),
        recordsInfo,
      },
    };
    return giveUp(record, event);
  }
}

/** The last record of each partition of the batch. */
function lastOfEach(records: readonly KafkaRecord[]): KafkaRecord[] {
  return [...new Map(records.map((record) => [record.partition, record])).values()];
}

/** A record of the event, as Lambda builds it. */
export function toEventRecord(
  record: Pick<KafkaRecord, 'topic' | 'partition' | 'offset' | 'timestamp' | 'key' | 'value' | 'headers'>,
): object {
  const { topic, partition, offset, timestamp, key, value, headers } = record;
  return {
    topic,
    partition,
    offset: Number(offset),
    timestamp: Number(timestamp),
    timestampType: 'CREATE_TIME',
    ...(key && { key: key.toString('base64') }),
    ...(value && { value: value.toString('base64') }),
    headers: [...headers].map(([name, bytes]) => ({ [String(name)]: [...bytes] })),
  };
}

/** From the first record of a partition that failed on, all of that partition are tried again. A malformed answer fails the whole batch. */
function failedIn(records: readonly KafkaRecord[], answer: unknown): readonly KafkaRecord[] {
  const { batchItemFailures } = (answer ?? {}) as { batchItemFailures?: unknown };
  if (batchItemFailures === undefined || batchItemFailures === null) return [];
  if (!Array.isArray(batchItemFailures)) return records;
  const firstFailed = new Map<string, number>();
  for (const item of batchItemFailures as { itemIdentifier?: { 'topic-partition'?: unknown; offset?: unknown } }[]) {
    const { 'topic-partition': place, offset } = item.itemIdentifier ?? {};
    if (typeof place !== 'string' || typeof offset !== 'number') return records;
    firstFailed.set(place, Math.min(offset, firstFailed.get(place) ?? Infinity));
  }
  return records.filter(({ topic, partition, offset }) => {
    const first = firstFailed.get(`${topic}-${partition}`);
    return first !== undefined && Number(offset) >= first;
  });
}
