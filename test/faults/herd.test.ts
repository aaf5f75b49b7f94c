import { WebSocket } from 'ws';
import { memoryStorage, ParleyClient } from '../../client/src/index.ts';
import { startLocalApp, type LocalApp } from '../../local/embedded/app.ts';
import { tokenFor } from './harness/place.ts';
import { until } from './harness/until.ts';
import { TcpProxy } from './proxy/tcp-proxy.ts';

const CLIENTS = 2_000;
const WATCHED = 100;
const WITHIN_MS = 60_000;
/** `session.start`, a heartbeat, and what is watched. */
const CALLS_MAX = 3;
/** What API Gateway accepts, in a second and at once. */
const PER_SECOND = 500;

jest.setTimeout(180_000);

describe('R-15: a herd of 2,000 sockets is cut at once', () => {
  let app: LocalApp;
  let network: TcpProxy;
  const clients: ParleyClient[] = [];
  const calls: number[] = [];

  beforeAll(async () => {
    app = await startLocalApp();
    const { hostname, port } = new URL(app.socketUrl);
    network = new TcpProxy({ host: hostname, port: Number(port) });
    await network.listen();
  });

  afterAll(async () => {
    await Promise.all(clients.map((client) => client.close()));
    await network.close();
    await app.close();
  });

  /** A client that counts its requests in `calls[i]`. */
  function open(i: number, url: string): ParleyClient {
    class Counting extends WebSocket {
      override send(data: string): void {
        calls[i] = (calls[i] ?? 0) + 1;
        super.send(data);
      }
    }
    const userId = `u${i}`;
    const token = (): Promise<string> => tokenFor(app.url, userId, 'herd');
    const client = new ParleyClient({ url, storage: memoryStorage(), webSocket: Counting, token });
    clients.push(client);
    return client;
  }

  it('comes back by its own jitter, in few calls each, and nobody seems to have gone', async () => {
    const through = `ws://127.0.0.1:${network.port}${new URL(app.socketUrl).pathname}`;
    const herd = Array.from({ length: CLIENTS }, (_, i) => open(i, through));
    await Promise.all(herd.map((client) => client.connect()));
    await until(() => herd.every(({ state }) => state === 'online'), 'all are online', WITHIN_MS);
    const watcher = open(CLIENTS, app.socketUrl);
    await watcher.connect();
    watcher.watchPresence(Array.from({ length: WATCHED }, (_, i) => `u${i}`));
    await until(() => watcher.presence(`u${WATCHED - 1}`).state === 'online', 'presence is there');
    const flaps: string[] = [];
    watcher.on('presence', ({ userId, state }) => flaps.push(`${userId} ${state}`));

    calls.fill(0);
    const acceptedAtMs: number[] = [];
    for (const client of herd) client.on('state', (state) => state === 'online' && acceptedAtMs.push(Date.now()));
    const cutAtMs = Date.now();
    network.cut();
    await until(() => herd.every(({ state }) => state !== 'online'), 'all have noticed');
    await until(() => acceptedAtMs.length === CLIENTS, 'all are back', WITHIN_MS);

    const tookMs = Date.now() - cutAtMs;
    const busiest = Math.max(
      ...acceptedAtMs.map((at) => acceptedAtMs.filter((other) => other >= at && other < at + 1_000).length),
    );
    // The burst of API Gateway comes on top of its rate once.
    expect(busiest).toBeLessThanOrEqual(2 * PER_SECOND);
    expect(tookMs).toBeGreaterThan(((CLIENTS - PER_SECOND) / PER_SECOND) * 1_000 * 0.9);
    expect(Math.max(...calls.slice(0, CLIENTS))).toBeLessThanOrEqual(CALLS_MAX);
    expect(flaps).toEqual([]);
  });
});
