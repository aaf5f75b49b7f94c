import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ClientOptions } from 'ws';
import { Harness, until, type Event, type HarnessOptions } from './harness.ts';

const CONNECTED_AT_MS = Date.UTC(2024, 1, 19, 7, 11, 42, 789);
const ID = /^[\w-]{15}=$/;

let harness: Harness;
afterEach(() => harness.close());

/** Replaces what differs from run to run by its name, after a look at its form. */
function masked(event: Event): unknown {
  const { requestId, extendedRequestId, connectionId, messageId, authorizer } = event.requestContext;
  expect(requestId).toMatch(ID);
  expect(extendedRequestId).toBe(requestId);
  expect(connectionId).toMatch(ID);
  if (messageId !== undefined) {
    expect(messageId).toMatch(ID);
    expect(messageId.slice(-5)).toBe(connectionId.slice(-5));
  }
  const headers = (event.headers as Event['headers'] | undefined) ?? {};
  const names = new Map<unknown, string>([
    [messageId, '<messageId>'],
    [requestId, '<requestId>'],
    [connectionId, '<connectionId>'],
    [headers['Sec-WebSocket-Key'], '<key>'],
    [headers['X-Amzn-Trace-Id'], '<trace>'],
    [`127.0.0.1:${harness.port}`, '<host>'],
  ]);
  names.delete(undefined);
  if (headers['X-Amzn-Trace-Id']) {
    expect(headers['X-Amzn-Trace-Id']).toMatch(/^Root=1-65d2ff2e-[0-9a-f]{24}$/);
  }
  const latency: unknown = authorizer?.['integrationLatency'];
  if (latency !== undefined) expect(latency).toEqual(expect.any(Number));
  return JSON.parse(JSON.stringify(event), (key, value: unknown) =>
    key === 'integrationLatency' ? '<number>' : (names.get(value) ?? value),
  ) as unknown;
}

const allow = {
  principalId: 'ana',
  policyDocument: { Statement: [{ Effect: 'Allow', Action: 'execute-api:Invoke', Resource: '*' }] },
  context: { tenant: 'a', level: 1, admin: true },
};

const browserHeaders = {
  Accept: '*/*',
  'Accept-Encoding': 'gzip, deflate, br',
  'Accept-Language': 'en-US,en;q=0.5',
  'Cache-Control': 'no-cache',
  Pragma: 'no-cache',
  'Sec-Fetch-Dest': 'websocket',
  'Sec-Fetch-Mode': 'websocket',
  'Sec-Fetch-Site': 'cross-site',
  'User-Agent': 'Mozilla/5.0 (X11; Linux x86_64; rv:122.0) Gecko/20100101 Firefox/122.0',
};

const clients: [string, string, ClientOptions, HarnessOptions][] = [
  ['wscat', '/prod', {}, {}],
  [
    'browser',
    '/prod?device=1&tag=a&tag=b%20c',
    { origin: 'https://app.example.com', headers: browserHeaders },
    { stageVariables: { color: 'blue' } },
  ],
  [
    'authorizer',
    '/prod?token=abc',
    { headers: { HeaderAuth1: 'headerValue1', 'X-Forwarded-For': '192.0.2.1' } },
    { authorizer: { functionName: 'auth', identitySources: ['route.request.querystring.token'] } },
  ],
];

describe.each(clients)('the events of %s', (name, path, clientOptions, options) => {
  it('are those of the golden file', async () => {
    let nowMs = CONNECTED_AT_MS;
    harness = await Harness.start({
      functions: { connect: () => ({ statusCode: 200 }), message: () => ({ statusCode: 200 }), auth: () => allow },
      routes: { $connect: 'connect', $default: 'message', $disconnect: 'bye' },
      now: () => nowMs,
      settings: { durationMaxMs: Infinity },
      ...options,
    });
    const client = await harness.connect(path, [], clientOptions);
    nowMs += 1_500;
    client.send('{"action":"send"}');
    await until(() => harness.eventsOf('message').length === 1);
    nowMs += 1_500;
    client.socket.close();
    await until(() => harness.eventsOf('bye').length === 1);
    const events = Object.fromEntries(harness.calls.map(({ functionName, event }) => [functionName, masked(event)]));
    const golden = readFileSync(join(__dirname, 'golden', `${name}.json`), 'utf8');
    expect(events).toEqual(JSON.parse(golden));
    expect(JSON.stringify(harness.calls)).not.toContain('null');
  });
});

it('gives every event a request id of its own, but one to the authorizer and $connect of a handshake', async () => {
  harness = await Harness.start({
    functions: { connect: () => ({ statusCode: 200 }), message: () => ({ statusCode: 200 }), auth: () => allow },
    routes: { $connect: 'connect', $default: 'message' },
    authorizer: { functionName: 'auth', identitySources: [] },
  });
  const client = await harness.connect();
  for (let i = 0; i < 10; i++) client.send('x');
  await until(() => harness.eventsOf('message').length === 10);
  const ids = harness.calls.map(({ event }) => event.requestContext.requestId);
  expect(ids[0]).toBe(ids[1]);
  expect(new Set(ids).size).toBe(11);
  expect(new Set(harness.calls.map(({ event }) => event.requestContext.connectionId)).size).toBe(1);
});

it('keeps the case of header names, the last of repeated values in one map and all in the other', async () => {
  harness = await Harness.start({
    functions: { connect: () => ({ statusCode: 200 }) },
    routes: { $connect: 'connect' },
  });
  const raw = harness.rawUpgrade(
    'X-Twice: one\r\nx-twice: two\r\nuser-agent: odd\r\n__proto__: p\r\nContent-Length: 0\r\n',
  );
  await until(() => harness.calls.length === 1);
  const { headers, multiValueHeaders, requestContext } = harness.event('connect');
  expect([headers['X-Twice'], multiValueHeaders['X-Twice'], headers['x-twice']]).toEqual([
    'two',
    ['one', 'two'],
    undefined,
  ]);
  expect([headers['user-agent'], requestContext.identity.userAgent]).toEqual(['odd', 'odd']);
  expect(Object.hasOwn(headers as object, '__proto__')).toBe(true);
  expect(Object.keys(headers as object).map((name) => name.toLowerCase())).not.toEqual(
    expect.arrayContaining([expect.stringMatching(/^(connection|upgrade|content-length)$/)]),
  );
  raw.destroy();
});

it('lets a function that changes its event change nothing else', async () => {
  harness = await Harness.start({
    functions: {
      auth: () => allow,
      connect: () => ({ statusCode: 200 }),
      message: (event) => {
        event.requestContext.authorizer!['tenant'] = 'changed';
        event.requestContext.identity.sourceIp = 'changed';
        return { statusCode: 200 };
      },
    },
    routes: { $connect: 'connect', $default: 'message', $disconnect: 'bye' },
    authorizer: { functionName: 'auth', identitySources: [] },
  });
  const client = await harness.connect();
  client.send('x');
  client.socket.close();
  await until(() => harness.eventsOf('bye').length === 1);
  expect(harness.event('bye').requestContext).toMatchObject({
    authorizer: { tenant: 'a' },
    identity: { sourceIp: '127.0.0.1' },
  });
});
