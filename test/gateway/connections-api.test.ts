import {
  ApiGatewayManagementApiServiceException,
  DeleteConnectionCommand,
  ForbiddenException,
  GetConnectionCommand,
  GoneException,
  LimitExceededException,
  PayloadTooLargeException,
  PostToConnectionCommand,
} from '@aws-sdk/client-apigatewaymanagementapi';
import { Harness, KEY, until, type Client, type HarnessOptions } from './harness.ts';

const KB = 1_024;
const NEVER = 'AAAAAAAAAAAAAAA=';
let harness: Harness;
let client: Client;
let connectionId: string;
afterEach(() => harness.close());

async function open(options: HarnessOptions = {}): Promise<void> {
  harness = await Harness.start({ routes: { $disconnect: 'bye' }, ...options });
  client = await harness.connect();
  connectionId = harness.logs[0]!['connectionId'] as string;
}

const post = (Data: string | Uint8Array, id = connectionId) =>
  harness.sdk().send(new PostToConnectionCommand({ ConnectionId: id, Data }));

/** What a call of the SDK throws. */
async function thrown(call: Promise<unknown>): Promise<ApiGatewayManagementApiServiceException> {
  const error: unknown = await call.then(
    () => undefined,
    (caught: unknown) => caught,
  );
  if (!(error instanceof ApiGatewayManagementApiServiceException))
    throw new Error(`Not of the service: ${String(error)}`);
  return error;
}

describe('POST', () => {
  it('answers 200 with an empty body and sends a text message', async () => {
    await open();
    const { $metadata } = await post('{"events":[]} ✓');
    expect($metadata.httpStatusCode).toBe(200);
    expect($metadata.requestId).toMatch(/^[0-9a-f-]{36}$/);
    expect(await client.got(1)).toEqual(['{"events":[]} ✓']);
  });

  it('keeps the order of calls that wait for each other', async () => {
    await open();
    for (let i = 0; i < 50; i++) await post(String(i));
    expect(await client.got(50)).toEqual(Array.from({ length: 50 }, (_, i) => String(i)));
  });

  it.each([0, 1, 32 * KB, 32 * KB + 1, 128 * KB])(
    'delivers %d bytes whole, in frames of at most 32 KB',
    async (bytes) => {
      await open();
      const frames: number[] = [];
      const { _receiver: receiver } = client.socket as unknown as {
        _receiver: { _payloadLength: number; haveLength: (callback: unknown) => void };
      };
      const haveLength = receiver.haveLength.bind(receiver);
      receiver.haveLength = (callback) => {
        frames.push(receiver._payloadLength);
        haveLength(callback);
      };
      await post('x'.repeat(bytes));
      expect(await client.got(1)).toEqual(['x'.repeat(bytes)]);
      expect(frames.reduce((sum, size) => sum + size, 0)).toBe(bytes);
      expect(frames).toHaveLength(Math.max(1, Math.ceil(bytes / (32 * KB))));
      expect(Math.max(...frames)).toBeLessThanOrEqual(32 * KB);
    },
  );

  it('does not let messages in several frames mix', async () => {
    await open();
    const texts = ['a', 'b', 'c', 'd'].map((letter) => letter.repeat(100 * KB));
    await Promise.all(texts.map((text) => post(text)));
    expect((await client.got(4)).sort()).toEqual(texts);
  });

  it.each([128 * KB + 1, 500 * KB])('413 PayloadTooLargeException for %d bytes, and nothing is sent', async (bytes) => {
    await open();
    const error = await thrown(post('x'.repeat(bytes)));
    expect(error).toBeInstanceOf(PayloadTooLargeException);
    expect(error.$metadata).toMatchObject({ httpStatusCode: 413, attempts: 1 });
    await post('mark');
    expect(await client.got(1)).toEqual(['mark']);
  });

  it('cuts off a client that does not stop sending, and goes on', async () => {
    await open({ settings: { drainMaxBytes: 256 * KB } });
    const path = `/prod/@connections/${encodeURIComponent(connectionId)}`;
    await expect(harness.http('POST', path, { Authorization: 'x' }, Buffer.alloc(8 * KB * KB))).rejects.toThrow();
    await post('mark');
    expect(await client.got(1)).toEqual(['mark']);
  });

  it('warns when the data is not UTF-8, naming the function and never the data', async () => {
    await open();
    await post(Buffer.from([0xc3, 0x28]));
    expect(harness.logs).toContainEqual({
      at: 'management',
      warning: 'the data is not UTF-8',
      functionName: 'deliver',
      connectionId,
    });
    await until(() => harness.eventsOf('bye').length === 1);
    expect(harness.event('bye').requestContext.disconnectStatusCode).toBe(1007);
  });

  it('429 LimitExceededException, tried three times by the SDK, while a client does not take what was sent', async () => {
    await open({ settings: { bufferedMaxBytes: 64 * KB } });
    client.socket.pause();
    let error: unknown;
    for (let i = 0; i < 500 && error === undefined; i++) {
      await post('x'.repeat(128 * KB)).catch((caught: unknown) => (error = caught));
    }
    expect(error).toBeInstanceOf(LimitExceededException);
    expect((error as LimitExceededException).$metadata).toMatchObject({ httpStatusCode: 429, attempts: 3 });
    client.messages.length = 0;
    client.socket.resume();
    await until(() => client.messages.length > 0);
    await post('mark');
    await until(() => client.messages.includes('mark'));
  });

  it('429 beyond the rate of calls', async () => {
    await open({ settings: { managementPerSecond: 0, managementBurst: 1 } });
    await post('x');
    const call = harness.sdk({ maxAttempts: 1 }).send(new GetConnectionCommand({ ConnectionId: connectionId }));
    expect(await thrown(call)).toBeInstanceOf(LimitExceededException);
  });
});

describe('GET', () => {
  it('tells when and from where the client connected, and when it was last active', async () => {
    let nowMs = Date.now();
    harness = await Harness.start({ now: () => nowMs });
    client = await harness.connect('/prod', [], { headers: { 'User-Agent': 'tester/1' } });
    connectionId = harness.logs[0]!['connectionId'] as string;
    const connectedAtMs = nowMs;
    const get = () => harness.sdk().send(new GetConnectionCommand({ ConnectionId: connectionId }));
    expect(await get()).toMatchObject({
      ConnectedAt: new Date(connectedAtMs),
      Identity: { SourceIp: '127.0.0.1', UserAgent: 'tester/1' },
      LastActiveAt: new Date(connectedAtMs),
    });
    nowMs += 1_234;
    await post('x');
    nowMs += 1;
    expect(await get()).toMatchObject({
      ConnectedAt: new Date(connectedAtMs),
      LastActiveAt: new Date(connectedAtMs + 1_234),
    });
  });

  it('leaves the user agent out when the client sent none', async () => {
    await open();
    const { Identity } = await harness.sdk().send(new GetConnectionCommand({ ConnectionId: connectionId }));
    expect(Identity).toEqual({ SourceIp: '127.0.0.1' });
  });
});

describe('DELETE', () => {
  it('answers 204, closes with 1000, and the id is gone at once', async () => {
    await open();
    const remove = () => harness.sdk().send(new DeleteConnectionCommand({ ConnectionId: connectionId }));
    expect((await remove()).$metadata.httpStatusCode).toBe(204);
    expect(await thrown(remove())).toBeInstanceOf(GoneException);
    expect(await client.closed).toEqual({ code: 1000, reason: 'Connection Closed Normally' });
    await until(() => harness.eventsOf('bye').length === 1);
    expect(harness.event('bye').requestContext).toMatchObject({
      disconnectStatusCode: 1000,
      disconnectReason: 'Connection Closed Normally',
    });
  });
});

const commands = [
  ['POST', (ConnectionId: string) => new PostToConnectionCommand({ ConnectionId, Data: 'x' })],
  ['GET', (ConnectionId: string) => new GetConnectionCommand({ ConnectionId })],
  ['DELETE', (ConnectionId: string) => new DeleteConnectionCommand({ ConnectionId })],
] as const;
const send = (make: (typeof commands)[number][1], id: string, options?: Parameters<Harness['sdk']>[0]) =>
  thrown(harness.sdk(options).send(make(id) as PostToConnectionCommand));

describe.each(commands)('%s', (method, make) => {
  it('410 GoneException, once, for an id that never existed', async () => {
    await open();
    const error = await send(make, NEVER);
    expect(error).toBeInstanceOf(GoneException);
    expect(error.$metadata).toMatchObject({ httpStatusCode: 410, attempts: 1 });
  });

  it('410 for a client that has left', async () => {
    await open();
    client.socket.close();
    await until(() => harness.gateway.connectionCount === 0);
    expect(await send(make, connectionId)).toBeInstanceOf(GoneException);
  });

  it.each([
    'test-connection-123',
    'ckv1x2y3z0000abcdefghijkl',
    'AAAAAAAAAAAAAAAA',
    'AAAAAAAAAAAAAAA%',
    '../../x',
    '=',
    'é',
  ])('400 BadRequestException for the malformed id %s', async (id) => {
    await open();
    const error = await send(make, id);
    expect([error.name, error.message, error.$metadata.httpStatusCode]).toEqual([
      'BadRequestException',
      `Invalid connectionId: ${id}`,
      400,
    ]);
  });

  it('403 ForbiddenException when the key may not do this, whether or not the id exists', async () => {
    await open({ credentials: () => ({ ...KEY, allowed: (asked) => asked !== method }) });
    for (const id of [connectionId, NEVER, 'malformed']) {
      const error = await send(make, id);
      expect(error).toBeInstanceOf(ForbiddenException);
      expect(error.$metadata).toMatchObject({ httpStatusCode: 403, attempts: 1 });
    }
    expect(client.socket.readyState).toBe(client.socket.OPEN);
  });

  it.each(['', '/other', '/prod/more'])('403 Forbidden when the path begins with "%s"', async (stage) => {
    await open();
    const error = await send(make, connectionId, { stage });
    expect([error.message, error.$metadata.httpStatusCode]).toEqual(['Forbidden', 403]);
    expect(error).toBeInstanceOf(ForbiddenException);
  });

  it('403 Missing Authentication Token without a signature', async () => {
    await open();
    const answer = await harness.http(method, `/prod/@connections/${encodeURIComponent(connectionId)}`);
    expect([answer.status, answer.headers['x-amzn-errortype'], answer.body]).toEqual([
      403,
      'MissingAuthenticationTokenException',
      '{"message":"Missing Authentication Token"}',
    ]);
  });
});

it('answers 410 with the header that the SDK needs and an empty body', async () => {
  await open();
  let raw: { headers: Record<string, string>; statusCode: number } | undefined;
  const sdk = harness.sdk();
  sdk.middlewareStack.add(
    (next) => async (args) => {
      const result = await next(args);
      raw = result.response as typeof raw;
      return result;
    },
    { step: 'deserialize', priority: 'low' },
  );
  await thrown(sdk.send(new GetConnectionCommand({ ConnectionId: NEVER })));
  expect(raw).toMatchObject({
    statusCode: 410,
    headers: { 'x-amzn-errortype': 'GoneException', 'content-length': '0' },
  });
});

it.each(['PUT', 'PATCH', 'OPTIONS'])('403 to %s', async (method) => {
  await open();
  expect((await harness.http(method, '/prod/@connections/x')).status).toBe(403);
});

describe('an id is valid from the 101 on', () => {
  it('a POST inside $connect meets GoneException; the same POST from the first message arrives', async () => {
    const outcomes: string[] = [];
    const postToSelf = async (event: { requestContext: { connectionId: string } }) => {
      await post('from within', event.requestContext.connectionId).then(
        () => outcomes.push('sent'),
        (error: unknown) => outcomes.push(error instanceof GoneException ? 'GoneException' : String(error)),
      );
      return { statusCode: 200 };
    };
    await open({
      functions: { connect: postToSelf, message: postToSelf },
      routes: { $connect: 'connect', $default: 'message' },
    });
    expect(outcomes).toEqual(['GoneException']);
    client.send('x');
    expect(await client.got(1)).toEqual(['from within']);
    await until(() => outcomes.length === 2);
    expect(outcomes).toEqual(['GoneException', 'sent']);
  });

  it('an error frame comes after what the function itself has posted', async () => {
    await open({
      functions: {
        message: async () => {
          await post('Hello');
          throw new Error('afterwards');
        },
      },
      routes: { $default: 'message' },
    });
    client.send('x');
    const [first, second] = await client.got(2);
    expect(first).toBe('Hello');
    expect(second).toContain('Internal server error');
  });

  it('410 from $disconnect', async () => {
    let outcome: unknown;
    await open({
      functions: {
        bye: (event) => post('bye', event.requestContext.connectionId).catch((error: unknown) => (outcome = error)),
      },
    });
    client.socket.close();
    await until(() => outcome !== undefined);
    expect(outcome).toBeInstanceOf(GoneException);
  });
});
