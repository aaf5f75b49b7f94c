import { randomUUID } from 'node:crypto';
import type { Stores } from '../assembly/stores.ts';
import type { Access } from '../aws/access.ts';
import { callSqs, putInS3, type Endpoint } from '../engine-calls.ts';

/** What the service says of a batch that it gave up on. */
export interface FailureRecord {
  readonly requestContext: {
    readonly requestId: string;
    readonly functionArn: string;
    readonly condition: 'RetryAttemptsExhausted' | 'EventAgeExceeded';
    readonly approximateInvokeCount: number;
  };
  readonly responseContext: {
    readonly statusCode: 200;
    readonly executedVersion: '$LATEST';
    readonly functionError: 'Unhandled';
  };
  readonly version: '1.0';
  readonly timestamp: string;
  readonly [batch: `${string}BatchInfo`]: unknown;
}

export interface FailureDestinationsOptions {
  readonly stores: Pick<Stores, 'queues' | 'buckets'>;
  readonly access: Access;
  /** MiniStack. */
  readonly engine: Endpoint;
  readonly region: string;
  readonly log: (line: string) => void;
}

/** Keeps what mappings gave up on where the template says: a bucket gets the events too, a queue only where they are. */
export class FailureDestinations {
  constructor(private readonly options: FailureDestinationsOptions) {}

  /** Works with the function's role, as the service does. What the role does not allow, or the engine refuses, is lost, and a line says so. */
  async keep(
    destination: string,
    functionName: string,
    mapping: string,
    record: FailureRecord,
    payload: unknown,
  ): Promise<void> {
    const { log } = this.options;
    const where = await this.store(destination, functionName, mapping, record, payload).catch((error: unknown) => {
      log(`${functionName}: ${String(error)}`);
    });
    if (where === undefined) log(`PROBLEM: ${functionName} failed on a batch too often: it is lost`);
    else log(`${functionName} failed on a batch too often: it lies in ${where}`);
  }

  /** Answers where it lies. */
  private async store(
    destination: string,
    functionName: string,
    mapping: string,
    record: FailureRecord,
    payload: unknown,
  ): Promise<string | undefined> {
    const { stores, access, engine, region } = this.options;
    const bucket = stores.buckets.find(({ arn }) => arn === destination);
    if (bucket) {
      const key = keyOf(mapping, record);
      if (!access.allowsService(functionName, { action: 's3:PutObject', resource: `${bucket.arn}/${key}` })) return;
      await putInS3(engine, region, `/${bucket.name}/${key}`, JSON.stringify({ ...record, payload }));
      return `s3://${bucket.name}/${key}`;
    }
    const queue = stores.queues.find(({ arn }) => arn === destination);
    if (!queue) throw new Error(`the failure destination ${destination} is neither a bucket nor a queue of the app`);
    if (!access.allowsService(functionName, { action: 'sqs:SendMessage', resource: queue.arn })) return;
    await callSqs(engine, region, 'SendMessage', { QueueUrl: queue.url, MessageBody: JSON.stringify(record) });
    return queue.url;
  }
}

/** As Lambda names it: by the mapping, the shard of a stream, and the second in which it was given up. */
function keyOf(mapping: string, record: FailureRecord): string {
  const [day = '', time = ''] = record.timestamp.split('T');
  const { shardId } = (record['DDBStreamBatchInfo'] ?? {}) as { shardId?: string };
  const folder = [mapping, ...(shardId === undefined ? [] : [shardId]), day.replaceAll('-', '/')].join('/');
  return `aws/lambda/${folder}/${day}T${time.slice(0, 8).replaceAll(':', '.')}-${randomUUID()}`;
}
