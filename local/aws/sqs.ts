import { randomUUID } from 'node:crypto';
import type { QueueDefinition } from '../assembly/stores.ts';
import { ministackAuthorization, type Endpoint } from '../engine-calls.ts';
import type { Access } from './access.ts';
import { Forwarder } from './forwarder.ts';
import type { Answer, Call, HttpService } from './https-services.ts';

export interface SqsOptions {
  readonly access: Access;
  readonly queues: readonly QueueDefinition[];
  readonly engine: Endpoint;
  readonly region: string;
}

const TARGET = /^AmazonSQS\.(\w+)$/;
/** Operations on one queue. A batch is authorized as the single action. */
const ON_QUEUE = new Set([
  'SendMessage',
  'ReceiveMessage',
  'DeleteMessage',
  'ChangeMessageVisibility',
  'GetQueueAttributes',
]);

/** SQS: what the caller's role allows goes to the engine, as the account's own call. */
export class Sqs implements HttpService {
  readonly signingName = 'sqs';
  private readonly forwarder: Forwarder;

  constructor(private readonly options: SqsOptions) {
    this.forwarder = new Forwarder(options.engine);
  }

  async answer(call: Call): Promise<Answer> {
    const { access, queues, region } = this.options;
    const target = String(call.headers['x-amz-target']);
    const operation = TARGET.exec(target)?.[1] ?? '';
    const action = operation.replace(/Batch$/, '');
    if (!ON_QUEUE.has(action)) {
      return this.refuse('UnknownOperationException', `${target} is not served on this machine`);
    }
    const { QueueUrl } = JSON.parse(call.body.toString()) as { QueueUrl?: string };
    const queue = queues.find(({ url }) => url === QueueUrl);
    if (!queue) return this.refuse('QueueDoesNotExist', 'The specified queue does not exist.');
    const ask = { action: `sqs:${action}`, resource: queue.arn };
    if (!access.allows(call.functionName, ask)) {
      const message = `User: ${call.functionName} is not authorized to perform: ${ask.action} on resource: ${ask.resource}`;
      return this.refuse('AccessDeniedException', message, 403);
    }
    access.onCall(call.functionName, `sqs:${operation}`);
    const { 'x-amz-security-token': _, ...headers } = call.headers;
    return this.forwarder.forward({ ...call, headers }, { authorization: ministackAuthorization('sqs', region) });
  }

  refuse(type: string, message: string, status = 400): Answer {
    return {
      status,
      headers: { 'Content-Type': 'application/x-amz-json-1.0', 'x-amzn-RequestId': randomUUID() },
      body: JSON.stringify({ __type: `com.amazonaws.sqs#${type}`, message }),
    };
  }

  close(): void {
    this.forwarder.close();
  }
}
