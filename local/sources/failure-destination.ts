import { randomUUID } from 'node:crypto';
import { appendFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Stores } from '../assembly/stores.ts';
import type { Access } from '../aws/access.ts';

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
  /** A folder for each bucket and a file for each queue lie here. */
  readonly dir: string;
  readonly log: (line: string) => void;
}

/** Keeps what mappings gave up on where the template says: a bucket gets the events too, a queue only where they are. */
export class FailureDestinations {
  constructor(private readonly options: FailureDestinationsOptions) {}

  /** Works with the function's role, as the service does. Answers whether it was kept. */
  keep(destination: string, functionName: string, mapping: string, record: FailureRecord, payload: unknown): boolean {
    const { stores, access, dir, log } = this.options;
    const bucket = stores.buckets.find(({ arn }) => arn === destination);
    if (bucket) {
      const [day = '', time = ''] = record.timestamp.split('T');
      const key = `aws/lambda/${mapping}/${day.replaceAll('-', '/')}/${time.replaceAll(':', '.')}-${randomUUID()}`;
      if (!access.allowsService(functionName, { action: 's3:PutObject', resource: `${bucket.arn}/${key}` }))
        return false;
      const file = join(dir, bucket.name, key);
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(file, JSON.stringify({ ...record, payload }));
      log(`${functionName} failed on a batch too often: it lies in ${file}`);
      return true;
    }
    const queue = stores.queues.find(({ arn }) => arn === destination);
    if (!queue) {
      log(`${functionName}: the failure destination ${destination} is neither a bucket nor a queue of the app`);
      return false;
    }
    if (!access.allowsService(functionName, { action: 'sqs:SendMessage', resource: queue.arn })) return false;
    const file = join(dir, `${queue.name}.jsonl`);
    appendFileSync(
      file,
      `${JSON.stringify({ messageId: randomUUID(), sentAtMs: Date.now(), body: JSON.stringify(record) })}\n`,
    );
    log(`${functionName} failed on a batch too often: ${file} says where it is`);
    return true;
  }
}
