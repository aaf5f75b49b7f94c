import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import type { Credentials } from '../../../lambdas/runtime/aws/credentials.ts';
import type { ParkedRecord } from '../../../lambdas/ports/event-stream/port.ts';

export const QUEUE_CREDENTIALS: Credentials = {
  accessKeyId: 'AKID',
  secretAccessKey: 'secret',
  sessionToken: 'session',
};

export interface QueueServer {
  readonly endpoint: string;
  /** As SQS would hold them. */
  readonly messages: ParkedRecord[];
  readonly requests: { readonly headers: NodeJS.Dict<string | string[]>; readonly body: string }[];
  /** What it answers from now on. */
  status: number;
  close(): Promise<void>;
}

/** What SQS answers to SendMessage, as far as a sender can tell. */
export async function openQueueServer(): Promise<QueueServer> {
  const server: Server = createServer((request, response) => {
    void text(request).then((body) => {
      queue.requests.push({ headers: request.headers, body });
      const isSend = request.method === 'POST' && request.headers['x-amz-target'] === 'AmazonSQS.SendMessage';
      const status = isSend ? queue.status : 400;
      if (status === 200) {
        const { MessageBody } = JSON.parse(body) as { MessageBody: string };
        queue.messages.push(JSON.parse(MessageBody) as ParkedRecord);
      }
      response.writeHead(status, { 'content-type': 'application/x-amz-json-1.0' }).end('{"MessageId":"1"}');
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const queue: QueueServer = {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    messages: [],
    requests: [],
    status: 200,
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return queue;
}
