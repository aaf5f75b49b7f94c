import { once } from 'node:events';
import { FunctionError, type GatewaySettings } from '../../local/gateway/gateway.ts';
import { deferred, Harness, until, type HarnessOptions, type Script } from './harness.ts';

let harness: Harness;
const start = async (options: HarnessOptions): Promise<Harness> => (harness = await Harness.start(options));
afterEach(() => harness.close());

const ok = () => ({ statusCode: 200 });
const policy = (effect: string, resource: unknown = '*') => ({
  Version: '2012-10-17',
  Statement: [{ Action: 'execute-api:Invoke', Effect: effect, Resource: resource }],
});
const failing = (type: string, message: string) => () => {
  throw new FunctionError(type, message);
};

describe('the answer of $connect decides the upgrade', () => {
  it.each<[string, Script, number]>([
    ['200', ok, 101],
    ['201', () => ({ statusCode: 201, body: 'made' }), 101],
    ['301', () => ({ statusCode: 301 }), 301],
    ['401', () => ({ statusCode: 401 }), 401],
    ['403', () => ({ statusCode: 403, body: 'no' }), 403],
    ['501', () => ({ statusCode: 501 }), 501],
    ['a throw', failing('Error', 'boom'), 502],
    ['a crash', failing('Runtime.ExitError', 'Runtime exited'), 502],
    ['a time-out of the function', failing('Sandbox.Timedout', 'Task timed out'), 502],
    ['undefined', () => undefined, 502],
    ['no status code', () => ({ body: 'x' }), 502],
    ['an unknown key', () => ({ statusCode: 200, ConnectionId: 'x' }), 502],
    ['a status code that is none', () => ({ statusCode: 99 }), 502],
    ['a sub-protocol that is none', () => ({ statusCode: 200, headers: { 'Sec-WebSocket-Protocol': 'a b' } }), 502],
    [
      'a function that cannot be run',
      () => {
        throw new Error('no such function');
      },
      500,
    ],
  ])('%s', async (_, connect, status) => {
    await start({ functions: { connect, bye: ok }, routes: { $connect: 'connect', $disconnect: 'bye' } });
    if (status === 101) await harness.connect();
    else {
      const answer = await harness.refused();
      expect(answer.status).toBe(status);
      expect(JSON.parse(answer.body)).toEqual({
        message: expect.any(String) as string,
        connectionId: harness.event('connect').requestContext.connectionId,
        requestId: harness.event('connect').requestContext.requestId,
      });
      expect(harness.gateway.connectionCount).toBe(0);
      await harness.gateway.close();
      expect(harness.eventsOf('bye')).toEqual([]);
    }
    expect(harness.eventsOf('connect')).toHaveLength(1);
  });

  it('accepts everyone where there is no $connect route', async () => {
    await start({});
    await harness.connect();
    expect(harness.gateway.connectionCount).toBe(1);
  });

  it('keeps the upgrade pending until the function has answered', async () => {
    const gate = deferred<unknown>();
    await start({ functions: { connect: () => gate.promise }, routes: { $connect: 'connect' } });
    const socket = harness.rawUpgrade();
    let answered = false;
    socket.on('data', () => (answered = true));
    await until(() => harness.calls.length === 1);
    await harness.http('GET', '/elsewhere');
    expect(answered).toBe(false);
    gate.resolve({ statusCode: 200 });
    await until(() => answered);
    socket.destroy();
  });

  it('drops every response header but the sub-protocol', async () => {
    await start({
      functions: { connect: () => ({ statusCode: 200, headers: { 'Set-Cookie': 'a=b', 'X-Mine': '1' } }) },
      routes: { $connect: 'connect' },
    });
    const socket = harness.rawUpgrade();
    const [head] = (await once(socket, 'data')) as [Buffer];
    expect(head.toString()).toMatch(/^HTTP\/1\.1 101 /);
    expect(head.toString()).not.toMatch(/cookie|x-mine|sec-websocket-extensions/i);
    socket.destroy();
  });

  it('answers 504 when the integration takes too long', async () => {
    await start({
      functions: { connect: () => deferred().promise },
      routes: { $connect: 'connect' },
      settings: { integrationTimeoutMs: 10 },
    });
    expect((await harness.refused()).status).toBe(504);
  });

  it('takes malformed answers for good ones when it is lenient', async () => {
    await start({
      functions: { connect: () => undefined },
      routes: { $connect: 'connect' },
      settings: { lenient: true },
    });
    await harness.connect();
  });
});

describe('sub-protocols', () => {
  const choosing = (header: string, value: string): HarnessOptions => ({
    functions: { connect: () => ({ statusCode: 200, headers: { [header]: value } }) },
    routes: { $connect: 'connect' },
  });

  it.each(['Sec-WebSocket-Protocol', 'sec-websocket-protocol'])(
    'answers the one that the function returns (%s)',
    async (name) => {
      await start(choosing(name, 'parley.v1'));
      const client = await harness.connect('/prod', ['bearer.abc', 'parley.v1']);
      expect(client.socket.protocol).toBe('parley.v1');
    },
  );

  it('answers none when the function returns none, so that the client gives up', async () => {
    await start({ functions: { connect: ok }, routes: { $connect: 'connect' } });
    await expect(harness.connect('/prod', ['parley.v1'])).rejects.toThrow('Server sent no subprotocol');
  });

  it('shows the function what the client offers', async () => {
    await start(choosing('Sec-WebSocket-Protocol', 'a'));
    await harness.connect('/prod', ['a', 'b']);
    expect(harness.event('connect').headers['Sec-WebSocket-Protocol']).toBe('a,b');
  });
});

describe('stage and path', () => {
  it.each(['/', '/other', '/prod/more', '/produce', '//prod', '/prod%2F'])('403 without a call: %s', async (path) => {
    await start({ functions: { connect: ok }, routes: { $connect: 'connect' } });
    const answer = await harness.refused(path);
    expect(answer.status).toBe(403);
    expect(JSON.parse(answer.body)).toMatchObject({ message: 'Forbidden' });
    expect(harness.calls).toEqual([]);
  });

  it('takes the stage with a query and with a slash at the end', async () => {
    await start({});
    await harness.connect('/prod?device=1');
    await harness.connect('/prod/');
  });

  it('426 to a plain GET, 403 to other requests below the stage, and leaves the rest to others', async () => {
    await start({});
    expect((await harness.http('GET', '/prod')).status).toBe(426);
    expect((await harness.http('GET', '/prod?x=1')).status).toBe(426);
    expect((await harness.http('POST', '/prod')).status).toBe(403);
    expect((await harness.http('GET', '/prod/more')).status).toBe(403);
    expect((await harness.http('GET', '/produce')).body).toBe('not the gateway');
    expect((await harness.http('GET', '/')).body).toBe('not the gateway');
  });
});

describe('what is refused before any function runs', () => {
  const authorizer = { functionName: 'auth', identitySources: [] };
  const routes = { $connect: 'connect' };

  it.each<[string, string, Record<string, string>, RegExp]>([
    ['a URL of more than 4,096 characters', `/prod?x=${'y'.repeat(4_096)}`, {}, /^414$/],
    ['a token of 64 KB', '/prod', { 'Sec-WebSocket-Protocol': `bearer.${'x'.repeat(65_536)}` }, /^431$/],
    ['headers of more than 10 KB', '/prod', { 'X-Big': 'x'.repeat(10_240) }, /^431$/],
  ])('%s', async (_, path, headers, status) => {
    await start({ routes, authorizer });
    const answer = await harness.refused(path, [], { headers });
    expect(String(answer.status)).toMatch(status);
    expect(harness.calls).toEqual([]);
  });

  const good = {
    Connection: 'Upgrade',
    Upgrade: 'websocket',
    'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==',
    'Sec-WebSocket-Version': '13',
  };
  it.each<[string, string, Record<string, string>]>([
    ['another version of the protocol', 'GET', { 'Sec-WebSocket-Version': '8' }],
    ['a version that is none', 'GET', { 'Sec-WebSocket-Version': 'x' }],
    ['a key that is none', 'GET', { 'Sec-WebSocket-Key': 'short' }],
    ['another upgrade', 'GET', { Upgrade: 'h2c' }],
    ['another method', 'POST', {}],
  ])('%s', async (_, method, headers) => {
    await start({ routes, authorizer });
    expect((await harness.http(method, '/prod', { ...good, ...headers })).status).toBe(400);
    expect(harness.calls).toEqual([]);
  });

  it('a URL of exactly 4,096 characters passes', async () => {
    await start({});
    await harness.connect(`/prod?x=${'y'.repeat(4_096 - '/prod?x='.length)}`);
  });

  it('429 beyond the rate of new connections, until time has passed', async () => {
    let nowMs = 1_000_000;
    const settings: Partial<GatewaySettings> = { connectsPerSecond: 2, connectsBurst: 3 };
    await start({ functions: { connect: ok }, routes, settings, now: () => nowMs });
    for (let i = 0; i < 3; i++) await harness.connect();
    const answer = await harness.refused();
    expect([answer.status, answer.headers['x-amzn-errortype']]).toEqual([429, 'LimitExceededException']);
    expect(harness.calls).toHaveLength(3);
    nowMs += 500;
    await harness.connect();
    expect((await harness.refused()).status).toBe(429);
  });

  it('403 for a wrong stage does not count against the rate', async () => {
    await start({ settings: { connectsPerSecond: 0, connectsBurst: 1 } });
    for (let i = 0; i < 3; i++) expect((await harness.refused('/other')).status).toBe(403);
    await harness.connect();
  });
});

describe('the authorizer', () => {
  const routes = { $connect: 'connect' };
  const source = 'route.request.header.Sec-WebSocket-Protocol';
  const withAuthorizer = (auth: Script, identitySources: string[] = []): HarnessOptions => ({
    functions: { auth, connect: () => ({ statusCode: 200, headers: { 'Sec-WebSocket-Protocol': 'a' } }) },
    routes,
    authorizer: { functionName: 'auth', identitySources },
  });
  const arn = 'arn:aws:execute-api:eu-west-1:123456789012:a1b2c3d4e5/prod/$connect';

  it.each<[string, Script, number]>([
    ['allowed everywhere', () => ({ principalId: 'u', policyDocument: policy('Allow') }), 101],
    ['allowed by ARN', () => ({ principalId: 'u', policyDocument: policy('Allow', arn) }), 101],
    [
      'allowed by one of a list',
      () => ({ principalId: 'u', policyDocument: policy('Allow', ['x', `${arn.slice(0, -8)}*`]) }),
      101,
    ],
    ['denied', () => ({ principalId: 'u', policyDocument: policy('Deny') }), 403],
    ['allowed elsewhere only', () => ({ principalId: 'u', policyDocument: policy('Allow', `${arn}x`) }), 403],
    [
      'allowed and denied',
      () => ({
        principalId: 'u',
        policyDocument: { Statement: [policy('Allow').Statement[0], policy('Deny').Statement[0]] },
      }),
      403,
    ],
    ['Unauthorized', failing('Error', 'Unauthorized'), 401],
    ['unauthorized in another case', failing('Error', 'unauthorized'), 500],
    ['a throw', failing('Error', 'boom'), 500],
    ['a time-out', failing('Sandbox.Timedout', 'Task timed out after 3.00 seconds'), 500],
    ['nothing', () => undefined, 500],
    ['no policy', () => ({ principalId: 'u' }), 500],
    ['no principal', () => ({ policyDocument: policy('Allow') }), 500],
    [
      'an object in the context',
      () => ({ principalId: 'u', policyDocument: policy('Allow'), context: { a: {} } }),
      500,
    ],
    ['an array in the context', () => ({ principalId: 'u', policyDocument: policy('Allow'), context: { a: [] } }), 500],
    ['more than 8 KB', () => ({ principalId: 'u'.repeat(8_192), policyDocument: policy('Allow') }), 500],
  ])('%s', async (_, auth, status) => {
    await start(withAuthorizer(auth));
    if (status === 101) await harness.connect('/prod', ['a']);
    else {
      const answer = await harness.refused('/prod', ['a']);
      expect(answer.status).toBe(status);
      if (status === 500) expect(answer.headers['x-amzn-errortype']).toBe('AuthorizerConfigurationException');
    }
    expect(harness.eventsOf('auth')).toHaveLength(1);
    expect(harness.eventsOf('connect')).toHaveLength(status === 101 ? 1 : 0);
  });

  it.each([
    [source, '/prod', {}],
    ['route.request.querystring.token', '/prod?other=1', {}],
    ['route.request.querystring.token', '/prod?token=', {}],
    ['route.request.querystring.toString', '/prod', {}],
    ['route.request.header.X-Token', '/prod', { 'X-Token': '' }],
    ['stageVariables.tenant', '/prod', {}],
    ['context.nothing', '/prod', {}],
    ['something.else', '/prod', {}],
  ])('401 without a call when %s is missing or empty: %s', async (identitySource, path, headers) => {
    await start(withAuthorizer(() => ({ principalId: 'u', policyDocument: policy('Allow') }), [identitySource]));
    expect((await harness.refused(path, [], { headers })).status).toBe(401);
    expect(harness.calls).toEqual([]);
  });

  it('asks when every identity source is there, header names in any case', async () => {
    const sources = ['route.request.header.sec-websocket-PROTOCOL', 'context.stage', 'route.request.querystring.t'];
    await start(withAuthorizer(() => ({ principalId: 'u', policyDocument: policy('Allow') }), sources));
    await harness.connect('/prod?t=1', ['a']);
    expect(harness.eventsOf('auth')).toHaveLength(1);
  });

  it('hands its context on as texts: with latency to $connect, without to the rest', async () => {
    await start({
      ...withAuthorizer(() => ({
        principalId: 'ana',
        policyDocument: policy('Allow'),
        context: { tenant: 'a', level: 1, admin: true },
      })),
      routes: { ...routes, $default: 'message', $disconnect: 'bye' },
    });
    const client = await harness.connect('/prod', ['a']);
    client.send('x');
    client.socket.close();
    await until(() => harness.eventsOf('bye').length === 1 && harness.eventsOf('message').length === 1);
    const context = { tenant: 'a', level: '1', admin: 'true', principalId: 'ana' };
    expect(harness.event('auth').requestContext.authorizer).toBeUndefined();
    expect(harness.event('connect').requestContext.authorizer).toEqual({
      ...context,
      integrationLatency: expect.any(Number) as number,
    });
    expect(harness.event('message').requestContext.authorizer).toEqual(context);
    expect(harness.event('bye').requestContext.authorizer).toEqual(context);
  });

  it('keeps nothing of one answer for the next client', async () => {
    await start(withAuthorizer(() => ({ principalId: 'u', policyDocument: policy('Allow') })));
    await harness.connect('/prod', ['a']);
    await harness.connect('/prod', ['a']);
    expect(harness.eventsOf('auth')).toHaveLength(2);
  });
});
