import { FunctionError } from '../../local/gateway/gateway.ts';
import { deferred, Harness, until, type Client, type HarnessOptions, type Script } from './harness.ts';

let harness: Harness;
let client: Client;
afterEach(() => harness.close());

async function open(options: HarnessOptions): Promise<void> {
  harness = await Harness.start(options);
  client = await harness.connect();
}

/** The frame that the client got, its ids checked and taken out. */
async function errorText(): Promise<string> {
  const [frame = ''] = await client.got(1);
  const match = /^\{"message": "([^"]+)", "connectionId":"([^"]{16})", "requestId":"([^"]{16})"\}$/.exec(frame);
  expect(match).not.toBeNull();
  return match![1]!;
}

const malformed: [string, Script][] = [
  ['an unknown key', () => ({ ConnectionId: 'x', Data: 'y', statusCode: 200 })],
  ['undefined', () => undefined],
  ['null', () => null],
  ['a text', () => 'ok'],
  ['an array', () => []],
  ['no status code', () => ({ body: 'x' })],
  ['a status code that is no number', () => ({ statusCode: 'ok' })],
  ['a body that is no text', () => ({ statusCode: 200, body: { a: 1 } })],
  ['headers that are no object', () => ({ statusCode: 200, headers: 'x' })],
  ['a header that is an object', () => ({ statusCode: 200, headers: { a: {} } })],
  ['isBase64Encoded that is no boolean', () => ({ statusCode: 200, isBase64Encoded: 'no' })],
  ['multiValueHeaders without lists', () => ({ statusCode: 200, multiValueHeaders: { a: 'b' } })],
];
const failures: [string, Script][] = [
  ['a throw', () => Promise.reject(new FunctionError('Error', 'boom'))],
  ['a crash', () => Promise.reject(new FunctionError('Runtime.ExitError', 'exit status 1'))],
  ['a time-out of the function', () => Promise.reject(new FunctionError('Sandbox.Timedout', 'Task timed out'))],
  ['a function that cannot be run', () => Promise.reject(new Error('unknown'))],
  ...malformed,
];

describe.each([
  ['with a route response', '<>echo'],
  ['without a route response', 'echo'],
])('a route %s', (_, route) => {
  it.each(failures)('answers "Internal server error" to %s and stays open', async (_name, echo) => {
    let calls = 0;
    await open({
      functions: { echo: (event) => (calls++ === 0 ? echo(event) : { statusCode: 200 }) },
      routes: { $default: route },
    });
    client.send('x');
    expect(await errorText()).toBe('Internal server error');
    client.send('y');
    await until(() => harness.eventsOf('echo').length === 2);
    expect(client.socket.readyState).toBe(client.socket.OPEN);
  });
});

it.each([200, 201, 301, 403, 404, 500, 501])(
  'a route without a route response is silent after status %d',
  async (statusCode) => {
    await open({
      functions: { quiet: () => ({ statusCode, body: 'unseen' }), echo: () => ({ statusCode: 200, body: 'mark' }) },
      routes: { quiet: 'quiet', $default: '<>echo' },
    });
    client.send({ action: 'quiet' });
    await until(() => harness.logs.some((record) => record['at'] === 'message'));
    client.send('x');
    expect(await client.got(1)).toEqual(['mark']);
  },
);

it.each([200, 400, 500])('a route with a route response sends the body, also after status %d', async (statusCode) => {
  const body = 'text ✓ 👩‍🚀 "quoted"';
  await open({ functions: { echo: () => ({ statusCode, body }) }, routes: { $default: '<>echo' } });
  client.send('x');
  expect(await client.got(1)).toEqual([body]);
});

it('sends nothing for an answer without a body', async () => {
  let calls = 0;
  await open({
    functions: { echo: () => (calls++ === 0 ? { statusCode: 200, body: null } : { statusCode: '200', body: 'mark' }) },
    routes: { $default: '<>echo' },
  });
  client.send('x');
  await until(() => harness.logs.some((record) => record['at'] === 'message'));
  client.send('y');
  expect(await client.got(1)).toEqual(['mark']);
});

it('takes a malformed answer for an empty one when it is lenient, and what can be read for what it is', async () => {
  let calls = 0;
  await open({
    functions: { echo: () => (calls++ === 0 ? undefined : { statusCode: 200, body: 'mark', extra: 1 }) },
    routes: { $default: '<>echo' },
    settings: { lenient: true },
  });
  client.send('x');
  await until(() => harness.logs.some((record) => record['at'] === 'message'));
  client.send('y');
  expect(await client.got(1)).toEqual(['mark']);
});

describe('routing', () => {
  const echo: Script = (event) => ({ statusCode: 200, body: event.requestContext.routeKey });
  const routes = { $connect: 'ok', $disconnect: 'bye', join: '<>echo', $default: '<>echo' };
  const functions = { echo, ok: () => ({ statusCode: 200 }) };

  it.each([
    ['{"action":"join"}', 'join'],
    ['{"action":"join","action":"other"}', '$default'],
    ['{"action":"other","action":"join"}', 'join'],
    ['{"action":"Join"}', '$default'],
    ['{"action":" join"}', '$default'],
    ['{"action":1}', '$default'],
    ['{"action":["join"]}', '$default'],
    ['{}', '$default'],
    ['null', '$default'],
    ['"join"', '$default'],
    ['[]', '$default'],
    ['hello', '$default'],
    ['{"action":"join"', '$default'],
    ['', '$default'],
    ['{"action":"$default"}', '$default'],
    ['{"action":"$connect"}', '$default'],
    ['{"action":"$disconnect"}', '$default'],
  ])('%s goes to %s', async (message, routeKey) => {
    await open({ functions, routes });
    client.send(message);
    expect(await client.got(1)).toEqual([routeKey]);
    expect(harness.event('echo').body).toBe(message);
    expect(harness.eventsOf('bye')).toEqual([]);
  });

  it.each([
    'hello',
    '{"action":"other"}',
    '{"action":"$connect"}',
    '{"action":"$disconnect"}',
    '{"action":"$default"}',
  ])('answers Forbidden to %s when there is no $default', async (message) => {
    await open({ functions, routes: { $connect: 'ok', $disconnect: 'bye', join: 'echo' } });
    client.send(message);
    expect(await errorText()).toBe('Forbidden');
    expect(harness.eventsOf('ok')).toHaveLength(1);
    expect(client.socket.readyState).toBe(client.socket.OPEN);
  });
});

it('names the connection and the request of the event in an error frame', async () => {
  await open({ routes: { $default: 'echo' } });
  client.send('x');
  const [frame] = await client.got(1);
  const { connectionId, requestId } = harness.event('echo').requestContext;
  expect(frame).toBe(
    `{"message": "Internal server error", "connectionId":"${connectionId}", "requestId":"${requestId}"}`,
  );
});

it('answers "Endpoint request timed out", and drops what comes later', async () => {
  const gate = deferred<unknown>();
  const functions = { slow: () => gate.promise, echo: () => ({ statusCode: 200, body: 'mark' }) };
  const routes = { slow: '<>slow', $default: '<>echo' };
  await open({ functions, routes, settings: { integrationTimeoutMs: 10 } });
  client.send({ action: 'slow' });
  expect(await errorText()).toBe('Endpoint request timed out');
  gate.resolve({ statusCode: 200, body: 'late' });
  client.send('x');
  expect((await client.got(2))[1]).toBe('mark');
});

it('answers "Too Many Requests" beyond the rate of messages, without a call', async () => {
  await open({
    functions: { echo: () => ({ statusCode: 200 }) },
    routes: { $default: 'echo' },
    settings: { messagesPerSecond: 0, messagesBurst: 1 },
  });
  client.send('x');
  client.send('y');
  expect(await errorText()).toBe('Too Many Requests');
  expect(harness.eventsOf('echo')).toHaveLength(1);
});

it('runs the messages of one connection at the same time', async () => {
  const gates = [deferred<unknown>(), deferred<unknown>()];
  await open({
    functions: { echo: (event) => gates[Number(event.body)]!.promise },
    routes: { $default: '<>echo' },
  });
  client.send('0');
  client.send('1');
  await until(() => harness.eventsOf('echo').length === 2);
  gates[1]!.resolve({ statusCode: 200, body: 'second' });
  expect(await client.got(1)).toEqual(['second']);
  gates[0]!.resolve({ statusCode: 200, body: 'first' });
  expect(await client.got(2)).toEqual(['second', 'first']);
});

it('shuffles when told to, so that races show', async () => {
  await open({
    functions: { echo: (event) => ({ statusCode: 200, body: event.body }) },
    routes: { $default: '<>echo' },
    settings: { shuffleMaxMs: 30 },
  });
  const random = jest.spyOn(Math, 'random').mockReturnValueOnce(0.99).mockReturnValueOnce(0);
  client.send('first');
  client.send('second');
  expect(await client.got(2)).toEqual(['second', 'first']);
  random.mockRestore();
});

it('sends an answer above 32 KB in frames, and none above 128 KB', async () => {
  await open({
    functions: { echo: (event) => ({ statusCode: 200, body: 'ü'.repeat(Number(event.body)) }) },
    routes: { $default: '<>echo' },
  });
  client.send('65536');
  expect(await client.got(1)).toEqual(['ü'.repeat(65_536)]);
  client.messages.length = 0;
  client.send('65537');
  expect(await errorText()).toBe('Internal server error');
});
