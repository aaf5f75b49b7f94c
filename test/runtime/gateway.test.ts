import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { WebSocket } from 'ws';
import { LocalGateway } from '../../local/gateway/gateway.ts';
import { returned } from '../../local/lambda/result.ts';
import { makeFunction, REGION, removeFolders, startRuntime } from './fixtures.ts';

const CODE = `
export const handler = async ({ body, headers }) => {
  const [what] = [body ?? headers?.['X-Do'] ?? ''];
  if (what === 'exit') process.exit(1);
  if (what === 'throw') throw new Error('no');
  if (what === 'memory') { const all = []; for (;;) all.push(new Array(100_000).fill(Math.random())); }
  if (what === 'loop') for (;;);
  return { statusCode: 200, body: String(process.pid) };
};
`;

const { runtime } = startRuntime([makeFunction('fn', CODE, { timeoutMs: 2_000 })]);
const route = { functionName: 'fn', routeResponse: true };
const gateway = new LocalGateway({
  apiId: 'abcdefghij',
  stage: 'test',
  region: REGION,
  accountId: '000000000000',
  routes: new Map([
    ['$connect', { ...route, routeResponse: false }],
    ['$default', route],
  ]),
  routeSelectionExpression: '$request.body.action',
  invoke: async (name, event) => returned(await runtime.invoke(name, event)),
  credentials: () => undefined,
});
const server = createServer().on('upgrade', (request, socket, head) => gateway.upgrade(request, socket, head));
let url: string;

beforeAll(async () => {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  url = `ws://127.0.0.1:${(server.address() as AddressInfo).port}/test`;
});

afterAll(async () => {
  await gateway.close();
  server.close();
  await runtime.stop();
  removeFolders();
});

async function say(socket: WebSocket, text: string): Promise<string> {
  const answer = once(socket, 'message');
  socket.send(text);
  const [frame] = (await answer) as [Buffer];
  return frame.toString();
}

describe('a function behind the gateway', () => {
  it.each(['exit', 'throw', 'memory', 'loop'])(
    'that ends by %s gives an error frame; the socket stays, and a process answers the next frame',
    async (what) => {
      const socket = new WebSocket(url);
      await once(socket, 'open');
      expect(await say(socket, 'hello')).toMatch(/^\d+$/);
      expect(await say(socket, what)).toMatch(
        /^\{"message": "Internal server error", "connectionId":"[^"]+", "requestId":"[^"]+"\}$/,
      );
      expect(await say(socket, 'hello')).toMatch(/^\d+$/);
      socket.close();
      await once(socket, 'close');
    },
  );

  it.each(['exit', 'throw', 'loop'])('that ends by %s at $connect refuses the upgrade with 502', async (what) => {
    const socket = new WebSocket(url, { headers: { 'X-Do': what } });
    const [, response] = (await once(socket, 'unexpected-response')) as [unknown, { statusCode: number }];
    expect(response.statusCode).toBe(502);
    socket.on('error', () => undefined).terminate();
  });
});
