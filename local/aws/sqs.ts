import { createHash, randomUUID } from 'node:crypto';
import { appendFile } from 'node:fs/promises';
import type { QueueDefinition } from '../assembly/stores.ts';
import type { Access } from './access.ts';
import type { Answer, Call, HttpService } from './https-services.ts';

export interface SqsOptions {
  readonly access: Access;
  readonly queues: readonly QueueDefinition[];
  /** The file that keeps the messages of a queue, one JSON line each. */
  readonly fileOf: (queue: QueueDefinition) => string;
}

/** SendMessage of SQS: messages are kept in a file for whoever looks into them, since nothing here consumes a queue. */
export class Sqs implements HttpService {
  readonly signingName = 'sqs';

  constructor(private readonly options: SqsOptions) {}

  async answer({ functionName, headers, body }: Call): Promise<Answer> {
    const { access, queues, fileOf } = this.options;
    const target = String(headers['x-amz-target']);
    if (target !== 'AmazonSQS.SendMessage') {
      return this.refuse('UnknownOperationException', `${target} is not served on this machine`);
    }
    const { QueueUrl, MessageBody = '' } = JSON.parse(body.toString()) as { QueueUrl?: string; MessageBody?: string };
    const queue = queues.find(({ url }) => url === QueueUrl);
    if (!queue) return this.refuse('QueueDoesNotExist', 'The specified queue does not exist.');
    const ask = { action: 'sqs:SendMessage', resource: queue.arn };
    if (!access.allows(functionName, ask)) {
      const message = `User: ${functionName} is not authorized to perform: ${ask.action} on resource: ${ask.resource}`;
      return this.refuse('AccessDeniedException', message, 403);
    }
    access.onCall(functionName, ask.action);
    const MessageId = randomUUID();
    const line = { messageId: MessageId, sentAtMs: Date.now(), sender: functionName, body: MessageBody };
    await appendFile(fileOf(queue), `${JSON.stringify(line)}\n`);
    const MD5OfMessageBody = createHash('md5').update(MessageBody).digest('hex');
    return { status: 200, headers: headersOf(), body: JSON.stringify({ MessageId, MD5OfMessageBody }) };
  }

  refuse(type: string, message: string, status = 400): Answer {
    return { status, headers: headersOf(), body: JSON.stringify({ __type: `com.amazonaws.sqs#${type}`, message }) };
  }
}

function headersOf(): Record<string, string> {
  return { 'Content-Type': 'application/x-amz-json-1.0', 'x-amzn-RequestId': randomUUID() };
}
