import { setTimeout as wait } from 'node:timers/promises';
import type { StreamMappingDefinition } from '../assembly/mappings.ts';
import { callDynamo, type Endpoint } from '../engine-calls.ts';
import type { InvokeResult } from '../lambda/result.ts';
import { processBatch } from './batches.ts';
import type { FailureRecord } from './failure-destination.ts';
import { matchesSome } from './filters.ts';

export interface DynamoDbSourceOptions {
  readonly mapping: StreamMappingDefinition;
  readonly functionArn: string;
  readonly tableName: string;
  /** DynamoDB Local. */
  readonly endpoint: Endpoint;
  readonly invoke: (event: unknown) => Promise<InvokeResult>;
  /** Resolves when it is put aside: only then the source goes on. */
  readonly giveUp: (record: FailureRecord, event: unknown) => Promise<void>;
  readonly log: (line: string) => void;
}

interface StreamRecord {
  readonly eventName: string;
  readonly dynamodb: { readonly SequenceNumber: string; readonly ApproximateCreationDateTime: number };
}

interface Shard {
  readonly ShardId: string;
}

/** Lambda looks four times a second. */
const POLL_MS = 250;
const USELESS_ITERATOR = /ExpiredIteratorException|TrimmedDataAccessException/;

/** Feeds a function from the stream of a table, as the event source mapping says: each shard in order, a batch at a time. */
export class DynamoDbSource {
  private readonly ending = new AbortController();
  private readonly shards = new Map<string, Promise<void>>();
  private running: Promise<void> = Promise.resolve();

  constructor(private readonly options: DynamoDbSourceOptions) {}

  /** Resolves when it knows where the stream ends, so that nothing that is written from now on is missed. */
  async start(): Promise<void> {
    const { endpoint, tableName, mapping } = this.options;
    const { Table } = (await callDynamo(endpoint, 'DescribeTable', { TableName: tableName })) as {
      Table: { LatestStreamArn?: string };
    };
    const StreamArn = Table.LatestStreamArn;
    if (StreamArn === undefined) throw new Error(`${mapping.where}: the table ${tableName} has no stream`);
    await this.readNewShards(StreamArn, mapping.startingPosition);
    this.running = this.watchShards(StreamArn).catch((error: unknown) => {
      if (!this.ending.signal.aborted) this.options.log(`the poller of ${tableName} ended: ${String(error)}`);
    });
  }

  /** Ends after the batch under way was tried once more at most. */
  async stop(): Promise<void> {
    this.ending.abort();
    await this.running;
    await Promise.allSettled(this.shards.values());
  }

  private async watchShards(StreamArn: string): Promise<void> {
    for (;;) {
      await this.pause();
      await this.readNewShards(StreamArn, 'TRIM_HORIZON');
    }
  }

  private async readNewShards(StreamArn: string, ShardIteratorType: string): Promise<void> {
    const { StreamDescription } = (await this.call('DescribeStream', { StreamArn })) as {
      StreamDescription: { Shards: Shard[] };
    };
    const fresh = StreamDescription.Shards.filter(({ ShardId }) => !this.shards.has(ShardId));
    await Promise.all(
      fresh.map(async ({ ShardId }) => {
        const shard = { StreamArn, ShardId };
        const read = this.readShard(shard, await this.iteratorOf(shard, { ShardIteratorType })).catch(
          (error: unknown) => {
            if (!this.ending.signal.aborted)
              this.options.log(`the poller of ${this.options.tableName} ended: ${String(error)}`);
          },
        );
        this.shards.set(ShardId, read);
      }),
    );
  }

  private async readShard(shard: Shard & { readonly StreamArn: string }, first: string): Promise<void> {
    const { batchSize, windowMs } = this.options.mapping;
    let iterator: string | undefined = first;
    let last: string | undefined;
    let batch: StreamRecord[] = [];
    let openedAtMs = 0;
    while (iterator !== undefined && !this.ending.signal.aborted) {
      const answer = await this.recordsOf(iterator, batchSize - batch.length);
      if (answer === undefined) {
        iterator = await this.iteratorOf(shard, after(last));
        continue;
      }
      iterator = answer.NextShardIterator;
      last = answer.Records.at(-1)?.dynamodb.SequenceNumber ?? last;
      if (batch.length === 0) openedAtMs = Date.now();
      batch.push(...answer.Records.filter((record) => matchesSome(this.options.mapping.filters, record)));
      const isDue = batch.length >= batchSize || Date.now() - openedAtMs >= windowMs || iterator === undefined;
      if (batch.length > 0 && isDue) {
        await this.process(shard.ShardId, batch);
        batch = [];
      } else if (answer.Records.length === 0) await this.pause();
    }
  }

  private async process(shardId: string, batch: readonly StreamRecord[]): Promise<void> {
    const { mapping, functionArn, invoke, giveUp } = this.options;
    const eventOf = (records: readonly StreamRecord[]): object => ({
      Records: records.map((record) => ({ ...record, eventSourceARN: mapping.sourceArn })),
    });
    await processBatch(batch, mapping, {
      invoke: (records) => invoke(eventOf(records)),
      writtenAtMs: ({ dynamodb }) => dynamodb.ApproximateCreationDateTime * 1_000,
      failedIn,
      giveUp: (records, condition, invocations) => {
        const numbers = records.map(({ dynamodb }) => dynamodb.SequenceNumber);
        const record: FailureRecord = {
          requestContext: {
            requestId: crypto.randomUUID(),
            functionArn,
            condition,
            approximateInvokeCount: invocations,
          },
          responseContext: { statusCode: 200, executedVersion: '$LATEST', functionError: 'Unhandled' },
          version: '1.0',
          timestamp: new Date().toISOString(),
          DDBStreamBatchInfo: {
            shardId,
            startSequenceNumber: numbers[0],
            endSequenceNumber: numbers.at(-1),
            batchSize: records.length,
            streamArn: mapping.sourceArn,
          },
        };
        return giveUp(record, eventOf(records));
      },
      signal: this.ending.signal,
    });
  }

  private async iteratorOf(shard: Shard & { readonly StreamArn: string }, from: object): Promise<string> {
    const { ShardIterator } = (await this.call('GetShardIterator', { ...shard, ...from })) as { ShardIterator: string };
    return ShardIterator;
  }

  /** Undefined when the iterator is of no use any more, as after a long batch, or when what it stood for was trimmed. */
  private async recordsOf(
    ShardIterator: string,
    Limit: number,
  ): Promise<{ Records: StreamRecord[]; NextShardIterator?: string } | undefined> {
    try {
      return (await this.call('GetRecords', { ShardIterator, Limit })) as { Records: StreamRecord[] };
    } catch (error) {
      if (USELESS_ITERATOR.test(String(error))) return undefined;
      throw error;
    }
  }

  private call(operation: string, parameters: object): Promise<unknown> {
    return callDynamo(this.options.endpoint, `DynamoDBStreams_20120810.${operation}`, parameters);
  }

  private async pause(): Promise<void> {
    await wait(POLL_MS, undefined, { signal: this.ending.signal });
  }
}

/** Where to go on after a record; without one, from the oldest that is there. */
function after(sequenceNumber: string | undefined): object {
  if (sequenceNumber === undefined) return { ShardIteratorType: 'TRIM_HORIZON' };
  return { ShardIteratorType: 'AFTER_SEQUENCE_NUMBER', SequenceNumber: sequenceNumber };
}

/** From the first record that failed on, all are tried again. A malformed answer fails the whole batch. */
function failedIn(records: readonly StreamRecord[], answer: unknown): readonly StreamRecord[] {
  const { batchItemFailures } = (answer ?? {}) as { batchItemFailures?: unknown };
  if (batchItemFailures === undefined || batchItemFailures === null) return [];
  if (!Array.isArray(batchItemFailures)) return records;
  const named = new Set(
    (batchItemFailures as { itemIdentifier?: unknown }[]).map(({ itemIdentifier }) => itemIdentifier),
  );
  if (named.size === 0) return [];
  const first = records.findIndex(({ dynamodb }) => named.has(dynamodb.SequenceNumber));
  return first < 0 ? records : records.slice(first);
}
