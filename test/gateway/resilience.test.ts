import { once } from 'node:events';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { deferred, Harness, until, type HarnessOptions } from './harness.ts';

let harness: Harness;
const start = async (options: HarnessOptions = {}): Promise<Harness> => (harness = await Harness.start(options));
afterEach(() => harness.close());

/** The gateway still opens, routes and answers. */
async function expectAlive(): Promise<void> {
  const client = await harness.connect();
  client.send('{"action":"echo"}');
  expect(await client.got(1)).toEqual(['{"action":"echo"}']);
}

const echo = (event: { body: string }) => ({ statusCode: 200, body: event.body });

it('survives 1,000 messages and an abrupt reset', async () => {
  const gate = deferred();
  await start({
    functions: {
      echo,
      slow: async () => {
        await gate.promise;
        return { statusCode: 200, body: 'late' };
      },
    },
    routes: { echo: '<>echo', $default: '<>slow', $disconnect: 'bye' },
  });
  const raw = harness.rawUpgrade();
  await once(raw, 'data');
  const frame = Buffer.from([0x81, 0x81, 0, 0, 0, 0, 0x78]);
  raw.write(Buffer.concat(Array.from({ length: 1_000 }, () => frame)));
  await until(() => harness.eventsOf('slow').length === 1_000);
  raw.resetAndDestroy();
  await until(() => harness.eventsOf('bye').length === 1);
  expect(harness.event('bye').requestContext.disconnectStatusCode).toBe(1006);
  gate.resolve();
  await until(() => harness.logs.filter((record) => record['at'] === 'message').length === 1_000);
  await expectAlive();
});

it.each<[string, () => Promise<unknown>]>([
  [
    'throws at once',
    () => {
      throw new Error('not even a promise');
    },
  ],
  // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors -- that is the test
  ['rejects with no error', () => Promise.reject('a text')],
  [
    'answers what throws when it is read',
    () =>
      Promise.resolve({
        get statusCode() {
          throw new Error('trap');
        },
      }),
  ],
])('an invoke that %s harms nobody', async (_, trap) => {
  await start({
    routes: { echo: '<>echo', $default: '<>trap', $disconnect: 'trap' },
    invoke: async (name, event) => (name === 'trap' ? trap() : echo(event as { body: string })),
  });
  const client = await harness.connect();
  client.send('x');
  client.send('{"action":"echo"}');
  await until(() => client.messages.includes('{"action":"echo"}'));
  client.socket.close();
  await client.closed;
  await expectAlive();
});

it.each(['auth', 'connect'])(
  'survives a client that resets while %s runs, and calls nothing for it afterwards',
  async (which) => {
    const gate = deferred();
    let first = true;
    const wait = async (name: string, answer: unknown) => {
      if (name === which && first) {
        first = false;
        await gate.promise;
      }
      return answer;
    };
    const policyDocument = { Statement: [{ Effect: 'Allow', Action: '*', Resource: '*' }] };
    await start({
      functions: {
        echo,
        auth: () => wait('auth', { principalId: 'u', policyDocument }),
        connect: () => wait('connect', { statusCode: 200 }),
      },
      routes: { $connect: 'connect', $disconnect: 'bye', echo: '<>echo' },
      authorizer: { functionName: 'auth', identitySources: [] },
    });
    const raw = harness.rawUpgrade();
    await until(() => harness.eventsOf(which).length === 1);
    const connectionsBefore = harness.eventsOf('connect').length;
    raw.resetAndDestroy();
    await once(raw, 'close');
    await expectAlive();
    gate.resolve();
    await until(() => harness.logs.filter((record) => record['at'] === 'connect').length === 2);
    await harness.gateway.close();
    expect(harness.eventsOf('connect')).toHaveLength(connectionsBefore + 1);
    expect(harness.gateway.connectionCount).toBe(0);
  },
);

it('survives a client that resets as soon as it has asked', async () => {
  await start({ functions: { echo }, routes: { echo: '<>echo' } });
  for (let i = 0; i < 20; i++) {
    const raw = harness.rawUpgrade();
    await once(raw, 'connect');
    raw.resetAndDestroy();
  }
  await expectAlive();
  await until(() => harness.gateway.connectionCount === 1);
});

it('runs $disconnect for a client that has sent its FIN while $connect ran', async () => {
  const gate = deferred<unknown>();
  await start({ functions: { connect: () => gate.promise }, routes: { $connect: 'connect', $disconnect: 'bye' } });
  const raw = harness.rawUpgrade();
  await until(() => harness.calls.length === 1);
  raw.end();
  gate.resolve({ statusCode: 200 });
  await until(() => harness.eventsOf('bye').length === 1);
  expect(harness.event('bye').requestContext.disconnectStatusCode).toBe(1006);
  expect(harness.gateway.connectionCount).toBe(0);
});

it('keeps nothing of the upgrade request once a connection is open', async () => {
  await start({ functions: { connect: () => ({ statusCode: 200 }) }, routes: { $connect: 'connect' } });
  const upgrade = harness.gateway.upgrade.bind(harness.gateway);
  let request: WeakRef<object> | undefined;
  harness.gateway.upgrade = (incoming, socket, head) => {
    request = new WeakRef(incoming);
    upgrade(incoming, socket, head);
  };
  const client = await harness.connect();
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  await until(() => {
    collect();
    return request !== undefined && request.deref() === undefined;
  });
  expect(client.socket.readyState).toBe(client.socket.OPEN);
});

it('logs ids and outcomes, and never what clients or functions say', async () => {
  await start({
    functions: {
      auth: () => ({
        principalId: 'SECRET-principal',
        policyDocument: { Statement: [{ Effect: 'Allow', Action: '*', Resource: '*' }] },
        context: { token: 'SECRET-context' },
      }),
      connect: () => ({ statusCode: 200, headers: { 'Sec-WebSocket-Protocol': 'a' } }),
      fail: () => {
        throw new Error('SECRET-error');
      },
      echo,
    },
    routes: { $connect: 'connect', $disconnect: 'bye', $default: '<>fail', echo: '<>echo' },
    authorizer: { functionName: 'auth', identitySources: [] },
  });
  const client = await harness.connect('/prod?token=SECRET-query', ['a', 'bearer.SECRET-token']);
  client.send('SECRET-body');
  client.send('{"action":"echo","x":"SECRET-body"}');
  await client.got(2);
  client.socket.close(4_000, 'SECRET-reason');
  await until(() => harness.logs.length === 4);
  expect(harness.logs.map((record) => record['at']).sort()).toEqual(['connect', 'disconnect', 'message', 'message']);
  expect(JSON.stringify(harness.logs)).not.toContain('SECRET');
});

it.each(['[', '{"a":'])('routes a message whose action is nested too deeply to be a name: %s', async (open) => {
  await start({ functions: { echo }, routes: { $default: '<>echo' } });
  const client = await harness.connect();
  const depth = Math.floor(30_000 / (open.length + 1));
  const message = `{"action":${open.repeat(depth)}${open === '[' ? '' : '1'}${(open === '[' ? ']' : '}').repeat(depth)}}`;
  client.send(message);
  expect(await client.got(1)).toEqual([message]);
});
