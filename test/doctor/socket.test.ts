import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { WebSocketServer } from 'ws';
import { startLocalApp } from '../../local/embedded/app.ts';
import { saying, Scene, tokenOf } from './support/scene.ts';

const scene = Scene.forEachTest();

describe('the socket', () => {
  const address = (url: string) => (scene.state.stacks.get('parley-small-realtime')!.outputs['SocketUrl'] = url);

  it('works with a token: a session and a heartbeat through the SDK', async () => {
    const { checks } = await scene.run({ token: await tokenOf(scene.app, 'ana') });
    expect(checks.slice(-2)).toEqual([
      { name: 'socket without a token', ok: true, found: `${scene.app.socketUrl} answers 401` },
      { name: 'socket with the token', ok: true, found: 'session and heartbeat work, as ana' },
    ]);
  });

  it('with a token that is refused: says what a token must be, and does not show it', async () => {
    const token = `${(await tokenOf(scene.app, 'ana')).slice(0, -20)}AAAAAAAAAAAAAAAAAAAA`;
    const finding = await scene.failure({ token });
    expect(finding).toMatchObject({
      name: 'socket with the token',
      found: saying(/response: 40[13]$/),
      advice: saying(/expired.*issuer/),
    });
    expect(JSON.stringify(finding)).not.toContain(token);
  });

  it('with a stage whose functions fail: says whose logs to read', async () => {
    const broken = await startLocalApp({
      override: (services) => ({
        ...services,
        presence: new Proxy(services.presence, { get: () => () => Promise.reject(new Error('no cache')) }),
      }),
    });
    try {
      address(broken.socketUrl);
      const token = await tokenOf(broken, 'ana');
      expect(await scene.failure({ token })).toMatchObject({
        name: 'socket with the token',
        advice: saying(/parley-small-heartbeat/),
      });
    } finally {
      await broken.close();
    }
  });

  it('that lets everyone in is an alarm', async () => {
    const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
    await new Promise((resolve) => server.once('listening', resolve));
    try {
      address(`ws://127.0.0.1:${(server.address() as AddressInfo).port}/small`);
      expect(await scene.failure()).toMatchObject({
        name: 'socket without a token',
        found: saying(/answers 101$/),
        advice: saying(/^Anyone can connect!/),
      });
    } finally {
      for (const socket of server.clients) socket.terminate();
      await new Promise((resolve) => server.close(resolve));
    }
  });

  it.each([
    [403, /stage of the API is not there/],
    [429, /throttled/],
    [500, /access log/],
  ])('that answers %i is not right', async (status, advice) => {
    const server = createServer((_, response) => response.writeHead(status).end());
    server.on('upgrade', (_, socket) =>
      socket.end(`HTTP/1.1 ${status} No\r\nconnection: close\r\ncontent-length: 0\r\n\r\n`),
    );
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    try {
      address(`ws://127.0.0.1:${(server.address() as AddressInfo).port}/small`);
      expect(await scene.failure()).toMatchObject({
        found: expect.stringContaining(`answers ${status}`) as string,
        advice: saying(advice),
      });
    } finally {
      await new Promise((resolve) => server.close(resolve));
    }
  });

  it('that nobody answers at is a matter of the network, or gone', async () => {
    address('ws://127.0.0.1:1/small');
    expect(await scene.failure()).toMatchObject({
      found: saying(/ECONNREFUSED/),
      advice: saying(/^Check the network.*npx cdk deploy Realtime/),
    });
  });

  it('without an address is to be deployed', async () => {
    scene.state.stacks.get('parley-small-realtime')!.outputs = {};
    expect(await scene.failure()).toMatchObject({
      name: 'socket',
      found: 'no address',
      advice: saying(/npx cdk deploy Realtime/),
    });
  });
});
