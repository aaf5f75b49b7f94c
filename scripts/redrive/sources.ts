import { DeleteObjectCommand, GetObjectCommand, S3Client, paginateListObjectsV2 } from '@aws-sdk/client-s3';
import type { Aws } from '../doctor/aws.ts';
import { numbersIn, type LostBatch } from './lost.ts';

interface Message {
  readonly MessageId: string;
  readonly ReceiptHandle: string;
  readonly Body: string;
}

/** Time enough for one batch of messages: whatever is not done by then is seen again. */
const HIDDEN_SECONDS = 120;
const MESSAGES_MAX = 10;

/** The parked records in a queue, until it gives no more. */
export async function* parkedIn(aws: Aws, queueUrl: string): AsyncIterable<LostBatch> {
  const call = async (operation: string, parameters: object): Promise<unknown> => {
    const body = { QueueUrl: queueUrl, ...parameters };
    const answer = await aws.call({ service: 'sqs', json: { target: `AmazonSQS.${operation}`, body } });
    return answer === '' ? {} : JSON.parse(answer);
  };
  const seen = new Set<string>();
  for (;;) {
    const { Messages = [] } = (await call('ReceiveMessage', {
      MaxNumberOfMessages: MESSAGES_MAX,
      VisibilityTimeout: HIDDEN_SECONDS,
      WaitTimeSeconds: 1,
    })) as { Messages?: Message[] };
    const fresh = Messages.filter(({ MessageId }) => !seen.has(MessageId));
    if (fresh.length === 0) return;
    for (const { MessageId, ReceiptHandle, Body } of fresh) {
      seen.add(MessageId);
      yield {
        where: `parked record ${MessageId}`,
        ...numbersIn(Body),
        done: async () => {
          await call('DeleteMessage', { ReceiptHandle });
        },
      };
    }
  }
}

/** The batches in a bucket that crashed their function. */
export async function* failedIn(aws: Aws, bucket: string): AsyncIterable<LostBatch> {
  const client = new S3Client({ ...aws.clientConfig, forcePathStyle: true });
  try {
    for await (const { Contents = [] } of paginateListObjectsV2(
      { client },
      { Bucket: bucket, Prefix: 'aws/lambda/' },
    )) {
      for (const { Key } of Contents) {
        const { Body } = await client.send(new GetObjectCommand({ Bucket: bucket, Key }));
        const text = (await Body?.transformToString()) ?? '';
        yield {
          where: `s3://${bucket}/${Key ?? ''}`,
          ...numbersIn(text),
          done: async () => {
            await client.send(new DeleteObjectCommand({ Bucket: bucket, Key }));
          },
        };
      }
    }
  } finally {
    client.destroy();
  }
}
