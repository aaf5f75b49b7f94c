import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { WebSocket } from 'ws';
import { ConnectionsApi } from '../../lambdas/ports/gateway/connections-api.ts';
import { Unavailable } from '../../lambdas/ports/unavailable.ts';
import { LocalGateway } from '../../local/gateway/gateway.ts';
import { until } from './contract.ts';
import { describeGateway, type GatewayClient, type OpenedGateway } from './gateway.ts';

const KEY = { accessKeyId: 'LOCALTEST', secretAccessKey: 'secret-of-the-test' };
const REGION = 'eu-west-1';

interface ConnectEvent {
  readonly queryStringParameters?: { readonly n: string };
  readonly requestContext: { readonly connectionId: string };
}

async function openLocalGateway(): Promise<OpenedGateway & { readonly endpoint: string }> {
  /** The connection's id by the number that its client chose. */
  const connectionIds = new Map<string, string>();
  const gateway = new LocalGateway({
    apiId: 'abcdefghij',
    stage: 'test',
    region: REGION,
    accountId: '000000000000',
    routes: new Map([['$connect', { functionName: 'connect', routeResponse: false }]]),
    routeSelectionExpression: '$request.body.action',
    credentials: (id) => (id === KEY.accessKeyId ? { ...KEY, allowed: () => true } : undefined),
    invoke: (_name, event) => {
      const { queryStringParameters, requestContext } = event as ConnectEvent;
      if (queryStringParameters) connectionIds.set(queryStringParameters.n, requestContext.connectionId);
      return Promise.resolve({ statusCode: 200 });
    },
  });
  const server = createServer((request, response) => {
    if (!gateway.request(request, response)) response.writeHead(404).end();
  });
  server.on('upgrade', (request, socket, head) => gateway.upgrade(request, socket, head));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const endpoint = `http://127.0.0.1:${port}/test`;
  // However busy the machine is: how long a post may take is another test's matter.
  const api = new ConnectionsApi({ endpoint, region: REGION, credentials: KEY, timeoutMs: 20_000 });
  const sockets: WebSocket[] = [];

  const connect = async (): Promise<GatewayClient> => {
    const n = String(sockets.length);
    const socket = new WebSocket(`ws://127.0.0.1:${port}/test?n=${n}`);
    sockets.push(socket);
    const received: string[] = [];
    let closeCode: number | undefined;
    socket.on('message', (data) => received.push((data as Buffer).toString()));
    socket.on('close', (code) => (closeCode = code));
    socket.on('error', () => undefined);
    await once(socket, 'open');
    const connectionId = connectionIds.get(n);
    if (connectionId === undefined) throw new Error('no $connect came');
    return {
      connectionId,
      received,
      closeCode: () => closeCode,
      pause: () => socket.pause(),
      resume: () => socket.resume(),
      leave: async () => {
        socket.close();
        await once(socket, 'close');
      },
    };
  };

  const close = async (): Promise<void> => {
    for (const socket of sockets) socket.terminate();
    api.destroy();
    await gateway.close();
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
  };
  return { port: api, endpoint, connect, close };
}

describeGateway('ConnectionsApi with the local gateway', openLocalGateway);

describe('ConnectionsApi', () => {
  it('says Unavailable when nobody answers, when it may not, and when the answer takes too long', async () => {
    const mute = createServer();
    mute.listen(0, '127.0.0.1');
    await once(mute, 'listening');
    const { port } = mute.address() as AddressInfo;
    const endpoint = `http://127.0.0.1:${port}/test`;
    const slow = new ConnectionsApi({ endpoint, region: REGION, credentials: KEY, timeoutMs: 20 });
    await expect(slow.post('a=', 'hello')).rejects.toThrow(Unavailable);
    await expect(slow.close('a=')).rejects.toThrow(Unavailable);
    slow.destroy();
    mute.closeAllConnections();
    mute.close();
    await once(mute, 'close');
    const nobody = new ConnectionsApi({ endpoint, region: REGION, credentials: KEY });
    await expect(nobody.post('a=', 'hello')).rejects.toThrow(Unavailable);
    nobody.destroy();

    const at = await openLocalGateway();
    const credentials = { ...KEY, secretAccessKey: 'wrong' };
    const stranger = new ConnectionsApi({ endpoint: at.endpoint, region: REGION, credentials });
    const { connectionId, received } = await at.connect();
    await expect(stranger.post(connectionId, 'from a stranger')).rejects.toThrow(Unavailable);
    await expect(stranger.close(connectionId)).rejects.toThrow(Unavailable);
    expect(await at.port.post(connectionId, 'hello')).toBe('sent');
    await until(() => received.length > 0);
    expect(received).toEqual(['hello']);
    stranger.destroy();
    await at.close();
  });
});
