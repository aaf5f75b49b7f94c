import { PostToConnectionCommand } from '@aws-sdk/client-apigatewaymanagementapi';
import { FunctionError } from '../../local/gateway/gateway.ts';
import { deferred, Harness, until, type Client, type HarnessOptions } from './harness.ts';

const MINUTE = 60_000;
let harness: Harness;
let nowMs: number;
afterEach(() => harness.close());

async function start(options: HarnessOptions = {}): Promise<void> {
  nowMs = Date.now();
  harness = await Harness.start({
    functions: { echo: () => ({ statusCode: 200, body: 'mark' }) },
    routes: { $disconnect: 'bye', $default: '<>echo' },
    now: () => nowMs,
    ...options,
    settings: { sweepIntervalMs: 1, ...options.settings },
  });
}

async function ending(count = 1): Promise<{ code: unknown; reason: unknown }> {
  await until(() => harness.eventsOf('bye').length === count);
  const { disconnectStatusCode, disconnectReason } = harness.event('bye', count - 1).requestContext;
  return { code: disconnectStatusCode, reason: disconnectReason };
}

const isOpen = (client: Client): boolean => client.socket.readyState === client.socket.OPEN;
const going = { code: 1001, reason: 'Going away' };

describe('a connection without traffic', () => {
  it('closes with 1001 after ten minutes, and not a millisecond before', async () => {
    await start();
    const first = await harness.connect();
    nowMs += 1;
    const second = await harness.connect();
    nowMs += 10 * MINUTE - 1;
    expect(await first.closed).toEqual(going);
    expect(await ending()).toEqual(going);
    expect(isOpen(second)).toBe(true);
    nowMs += 1;
    expect(await second.closed).toEqual(going);
  });

  it.each<[string, (client: Client) => Promise<unknown>]>([
    [
      'a message of the client',
      async (client) => {
        client.send('x');
        await client.got(1);
      },
    ],
    [
      'a message to the client',
      async (client) => {
        const [{ connectionId = '' } = {}] = harness.logs as { connectionId?: string }[];
        await harness.sdk().send(new PostToConnectionCommand({ ConnectionId: connectionId, Data: 'push' }));
        await client.got(1);
      },
    ],
  ])('%s starts the ten minutes anew', async (_, traffic) => {
    await start({ settings: { signatureSkewMaxMs: Infinity } });
    const busy = await harness.connect();
    const idle = await harness.connect();
    nowMs += 9 * MINUTE;
    await traffic(busy);
    nowMs += MINUTE;
    await idle.closed;
    expect(isOpen(busy)).toBe(true);
    nowMs += 9 * MINUTE;
    expect(await busy.closed).toEqual(going);
  });

  it.each([
    [false, 'does not start the ten minutes anew'],
    [true, 'starts them anew when told so'],
  ])('a ping, with pingResetsIdle %s: %s', async (pingResetsIdle) => {
    await start({ settings: { pingResetsIdle } });
    const pinging = await harness.connect();
    const idle = await harness.connect();
    nowMs += 9 * MINUTE;
    const pong = deferred();
    pinging.socket.on('pong', () => pong.resolve());
    pinging.socket.ping();
    await pong.promise;
    nowMs += MINUTE;
    await idle.closed;
    await (pingResetsIdle ? undefined : pinging.closed);
    expect(isOpen(pinging)).toBe(pingResetsIdle);
  });
});

it('a connection ends after two hours, however busy it is', async () => {
  await start();
  const old = await harness.connect();
  nowMs += 1;
  const young = await harness.connect();
  for (let round = 1; round <= 13; round++) {
    nowMs += 9 * MINUTE;
    old.send('x');
    young.send('x');
    await Promise.all([old.got(round), young.got(round)]);
  }
  nowMs += 3 * MINUTE - 1;
  expect(await old.closed).toEqual(going);
  expect(await ending()).toEqual(going);
  expect(isOpen(young)).toBe(true);
});

describe('$disconnect is told why', () => {
  it.each<[string, (client: Client) => void, { code: number; reason: string }]>([
    [
      'close() without a code',
      (client) => client.socket.close(),
      { code: 1005, reason: 'Client-side close frame status not set' },
    ],
    ['a closed tab', (client) => client.socket.close(1001), { code: 1001, reason: '' }],
    [
      'code and reason of the client',
      (client) => client.socket.close(4_001, 'später ✓'),
      { code: 4_001, reason: 'später ✓' },
    ],
    ['a lost TCP connection', (client) => client.socket.terminate(), { code: 1006, reason: '' }],
  ])('%s', async (_, end, expected) => {
    await start();
    const client = await harness.connect();
    end(client);
    expect(await ending()).toEqual(expected);
    expect(harness.gateway.connectionCount).toBe(0);
  });

  it.each<[string, () => unknown]>([
    ['fails', () => Promise.reject(new FunctionError('Error', 'boom'))],
    ['answers nonsense', () => 'nonsense'],
  ])('and it does no harm when it %s', async (_, bye) => {
    await start({ functions: { bye, echo: () => ({ statusCode: 200, body: 'mark' }) } });
    const client = await harness.connect();
    client.socket.close();
    await ending();
    const next = await harness.connect();
    next.send('x');
    expect(await next.got(1)).toEqual(['mark']);
  });
});

describe('close()', () => {
  it('says 1001 to every client and waits for every $disconnect', async () => {
    const gate = deferred();
    await start({ functions: { bye: () => gate.promise } });
    const clients = [await harness.connect(), await harness.connect()];
    let isDone = false;
    const done = harness.gateway.close().then(() => (isDone = true));
    for (const client of clients) expect(await client.closed).toEqual(going);
    await ending(2);
    expect(isDone).toBe(false);
    gate.resolve();
    await done;
    expect(harness.gateway.connectionCount).toBe(0);
  });

  it('cuts a client that does not answer the close frame', async () => {
    await start({ settings: { closeTimeoutMs: 10 } });
    const raw = harness.rawUpgrade();
    await until(() => harness.gateway.connectionCount === 1);
    await harness.gateway.close();
    expect(await ending()).toEqual(going);
    raw.destroy();
  });

  it('refuses upgrades with 503 from then on', async () => {
    await start();
    await harness.gateway.close();
    expect((await harness.refused()).status).toBe(503);
  });

  it('refuses those whose $connect is still running', async () => {
    const gate = deferred<unknown>();
    await start({ functions: { connect: () => gate.promise }, routes: { $connect: 'connect', $disconnect: 'bye' } });
    const refused = harness.refused();
    await until(() => harness.calls.length === 1);
    await harness.gateway.close();
    gate.resolve({ statusCode: 200 });
    expect((await refused).status).toBe(503);
    expect(harness.eventsOf('bye')).toEqual([]);
  });
});
