import { createServer, request, type IncomingMessage, type ServerResponse } from 'node:http';
import type { Endpoint } from '../../../local/engine-calls.ts';
import { closeServer, listen } from '../../../local/loopback-server.ts';

export type Served = 'served' | 'throttled' | 'unanswered';

const THROTTLED = JSON.stringify({
  __type: 'com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException',
  message: 'The level of configured provisioned throughput for the table was exceeded.',
});

/** Before DynamoDB Local: serves, throttles, or loses answers, as it is told. Streams are always served: pollers are the service's own. */
export class DynamoNetwork {
  readonly host = '127.0.0.1';
  port = 0;
  decide: (() => Served) | undefined;
  private readonly server = createServer((asked, response) => this.serve(asked, response));

  constructor(private readonly target: Endpoint) {}

  async listen(): Promise<void> {
    this.port = await listen(this.server, 0);
  }

  close(): Promise<void> {
    return closeServer(this.server);
  }

  private serve(asked: IncomingMessage, response: ServerResponse): void {
    const target = String(asked.headers['x-amz-target']);
    const how = target.includes('Streams') ? 'served' : (this.decide?.() ?? 'served');
    if (how === 'throttled') {
      asked.resume();
      response.writeHead(400, { 'content-type': 'application/x-amz-json-1.0' }).end(THROTTLED);
      return;
    }
    const { host, port } = this.target;
    const { method, url, headers } = asked;
    const forwarded = request({ host, port, method, path: url, headers }, (answer) => {
      if (how === 'unanswered') {
        answer.resume();
        response.destroy();
        return;
      }
      response.writeHead(answer.statusCode ?? 500, answer.headers);
      answer.pipe(response);
    });
    forwarded.on('error', () => response.destroy());
    asked.pipe(forwarded);
  }
}
