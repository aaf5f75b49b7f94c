import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bundleFunctions } from '../../lib/bundling/bundle.ts';
import { FUNCTION_NAMES, type FunctionName } from '../../lib/functions.ts';
import { handler as connect } from '../../lambdas/connect.ts';
import { handler as disconnect } from '../../lambdas/disconnect.ts';
import { deployed } from '../../lambdas/runtime/lambda.ts';
import type { Services } from '../../lambdas/runtime/services.ts';

const settings = { allowedOrigins: ['https://parley.test'] };

describe('the handler of a deployed function', () => {
  afterEach(() => jest.restoreAllMocks());

  it('is made with the first event, once, on the ports that were named', async () => {
    let made = 0;
    let loaded = 0;
    const handler = deployed(
      ({ settings: given }) => {
        made++;
        return (event: string) => Promise.resolve(`${event} ${given.allowedOrigins.join()}`);
      },
      { settings: () => (loaded++, settings) },
    );
    expect([made, loaded]).toEqual([0, 0]);
    expect(await Promise.all([handler('a'), handler('b')])).toEqual(['a https://parley.test', 'b https://parley.test']);
    expect([made, loaded]).toEqual([1, 1]);
  });

  it('is made at once in Lambda, and a failure is told by every event', async () => {
    jest.replaceProperty(process, 'env', { ...process.env, AWS_LAMBDA_FUNCTION_NAME: 'parley-test-send' });
    let loaded = 0;
    const load = (): Promise<never> => {
      loaded++;
      return Promise.reject(new Error('no such table'));
    };
    const handler = deployed(() => () => Promise.resolve('never'), { directory: load });
    expect(loaded).toBe(1);
    for (let i = 0; i < 2; i++) await expect(handler({})).rejects.toThrow('no such table');
    expect(loaded).toBe(1);
  });

  it('fails where it touches a port that was not named, and not before', async () => {
    const touch = async ({ log, stream }: Services): Promise<string> => {
      if ((stream as unknown) === undefined) return 'not there';
      await log.get('w/c' as never, '1');
      return 'touched';
    };
    const handler = deployed((services) => () => touch(services), { settings: () => settings });
    await expect(handler({})).rejects.toThrow('This function has no port "log"');
  });

  const VARIABLES = {
    AWS_REGION: 'eu-west-1',
    AWS_ACCESS_KEY_ID: 'TEST',
    AWS_SECRET_ACCESS_KEY: 'test',
    PARLEY_GATEWAY_ENDPOINT: 'https://sockets.test/stage',
  };

  it('names the variable that its deployment forgot', async () => {
    const event = {
      requestContext: {
        routeKey: '$disconnect',
        connectionId: 'c',
        requestId: 'r',
        connectedAt: 1,
        authorizer: { userId: 'ana', workspaceId: 'w', deviceId: 'd', expiresAtMs: '9' },
      },
    };
    await expect(connect(event)).rejects.toThrow(/^PARLEY_GATEWAY_ENDPOINT is not set/);
    jest.replaceProperty(process, 'env', { ...process.env, ...VARIABLES });
    await expect(disconnect(event)).rejects.toThrow(/^PARLEY_CONNECTIONS_TABLE is not set/);
  });
});

describe('the bundle of each function', () => {
  /** What of `lambdas/ports/` is in each, and nothing else is. */
  const PORTS: Record<FunctionName, string[]> = {
    authorizer: ['identity/jwks'],
    connect: ['directory/dynamodb', 'gateway/connections-api'],
    disconnect: ['directory/dynamodb'],
    send: [
      'direct-delivery/lambda-invoke',
      'directory/dynamodb',
      'event-stream/kafka',
      'message-log/keyspaces',
      'presence/valkey',
    ],
    heartbeat: ['directory/dynamodb', 'event-stream/kafka', 'presence/valkey'],
    receipt: ['directory/dynamodb', 'event-stream/kafka', 'presence/valkey'],
    sync: ['directory/dynamodb', 'message-log/keyspaces', 'presence/valkey', 'repairs/lambda-invoke'],
    conversation: ['directory/dynamodb', 'event-stream/kafka', 'message-log/keyspaces', 'presence/valkey'],
    deliver: ['directory/dynamodb', 'event-stream/parked-queue', 'gateway/connections-api'],
    repair: ['directory/dynamodb', 'event-stream/kafka', 'message-log/keyspaces', 'presence/valkey'],
    brokers: [],
  };
  const IMPLEMENTATIONS = new Set(Object.values(PORTS).flat());
  const inKB = (bytes = 0): number => bytes / 1_024;

  let folder: string;
  let outputs: Awaited<ReturnType<typeof bundleFunctions>>['metafile']['outputs'];
  const bundleOf = (name: FunctionName) => {
    const found = Object.entries(outputs).find(([path]) => path.endsWith(`/${name}/index.mjs`));
    if (!found) throw new Error(`no bundle of ${name}`);
    return found[1];
  };

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'parley-deployed-'));
    ({ outputs } = (await bundleFunctions(process.cwd(), folder)).metafile);
  }, 60_000);
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it.each(FUNCTION_NAMES)('of %s holds just the ports that it may use', (name) => {
    const modules = Object.keys(bundleOf(name).inputs).map(
      (path) => /^lambdas\/ports\/(.*)\.ts$/.exec(path)?.[1] ?? '',
    );
    expect(modules.filter((path) => IMPLEMENTATIONS.has(path)).sort()).toEqual(PORTS[name]);
    expect(modules.filter((path) => /memory|in-process/.test(path))).toEqual([]);
  });

  it.each(['connect', 'disconnect', 'authorizer', 'deliver'] as const)('of %s is small', (name) => {
    expect(inKB(bundleOf(name).bytes)).toBeLessThan(100);
  });

  it('holds no client of the AWS SDK', () => {
    for (const name of FUNCTION_NAMES) {
      expect(Object.keys(bundleOf(name).inputs).filter((path) => path.includes('@aws-sdk/'))).toEqual([]);
    }
  });
});
