import { createHash, createHmac } from 'node:crypto';
import type { auth } from 'cassandra-driver';
import { ParkedQueue } from '../../lambdas/ports/event-stream/parked-queue.ts';
import { Unavailable } from '../../lambdas/ports/unavailable.ts';
import { cassandraAuth } from '../../lambdas/runtime/aws/cassandra-auth.ts';
import { credentialsOf, type Credentials } from '../../lambdas/runtime/aws/credentials.ts';
import { cacheToken, kafkaToken } from '../../lambdas/runtime/aws/tokens.ts';
import { openQueueServer, QUEUE_CREDENTIALS, type QueueServer } from './support/queue-server.ts';

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');
const hmac = (key: string | Buffer, text: string): Buffer => createHmac('sha256', key).update(text).digest();

/** Signature Version 4 by its definition, without the library that the product uses. */
function signature(secret: string, date: string, region: string, service: string, canonicalRequest: string): string {
  const day = date.replaceAll('-', '').slice(0, 8);
  const scope = `${day}/${region}/${service}/aws4_request`;
  const key = [day, region, service, 'aws4_request'].reduce<string | Buffer>(hmac, `AWS4${secret}`);
  return hmac(key, ['AWS4-HMAC-SHA256', date, scope, sha256(canonicalRequest)].join('\n')).toString('hex');
}

const AT = new Date('2020-06-09T22:41:51.000Z');
const CREDENTIALS = { accessKeyId: 'UserID-1', secretAccessKey: 'UserSecretKey-1' };
const SESSION = { ...CREDENTIALS, sessionToken: 'a/b+c=' };
const from = (credentials: Credentials, region = 'us-west-2') => ({
  region,
  credentials: () => Promise.resolve(credentials),
});

describe('the log-in to Keyspaces', () => {
  const open = (credentials: Credentials): auth.Authenticator =>
    cassandraAuth(from(credentials), () => AT).newAuthenticator('', '');
  const answer = (authenticator: auth.Authenticator, challenge: string): Promise<string> =>
    new Promise((resolve, reject) => {
      authenticator.evaluateChallenge(Buffer.from(challenge), (error: Error | null, token?: Buffer) =>
        error ? reject(error) : resolve(String(token)),
      );
    });
  const NONCE = '91703fdc2ef562e19fbdab0f58e42fe5';

  it('begins with the name of the method', () => {
    const respond = jest.fn();
    open(CREDENTIALS).initialResponse(respond);
    expect(respond).toHaveBeenCalledWith(null, Buffer.from('5369675634' + '0000', 'hex'));
  });

  it('answers the nonce with the signature that AWS publishes as an example', async () => {
    expect(await answer(open(CREDENTIALS), `nonce=${NONCE}`)).toBe(
      'signature=7f3691c18a81b8ce7457699effbfae5b09b4e0714ab38c1292dbdf082c9ddd87,access_key=UserID-1,amzdate=2020-06-09T22:41:51.000Z',
    );
  });

  it('signs as a second implementation does, whatever else the challenge holds, and adds the session', async () => {
    const credential = encodeURIComponent('UserID-1/20200609/us-west-2/cassandra/aws4_request');
    const canonicalRequest = [
      ...['PUT', '/authenticate'],
      `X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=${credential}&X-Amz-Date=2020-06-09T22%3A41%3A51.000Z&X-Amz-Expires=900`,
      ...['host:cassandra', '', 'host', sha256('n-2')],
    ].join('\n');
    const expected = signature('UserSecretKey-1', AT.toISOString(), 'us-west-2', 'cassandra', canonicalRequest);
    expect(await answer(open(SESSION), 'nonce=n-2,other=1')).toBe(
      `signature=${expected},access_key=UserID-1,amzdate=${AT.toISOString()},session_token=a/b+c=`,
    );
  });

  it('fails, and says why, without a nonce and without credentials', async () => {
    await expect(answer(open(CREDENTIALS), 'hello')).rejects.toThrow(/nonce/);
    const without = cassandraAuth({ region: 'r', credentials: credentialsOf({}) }).newAuthenticator('', '');
    await expect(answer(without, 'nonce=n')).rejects.toThrow(/no AWS credentials/);
  });
});

describe('a token', () => {
  /** Checks a presigned URL as the service does. */
  const verify = (url: URL, service: string): Record<string, string> => {
    const parameters = new Map([...url.searchParams].filter(([name]) => name !== 'User-Agent'));
    const given = parameters.get('X-Amz-Signature');
    parameters.delete('X-Amz-Signature');
    const encode = (text: string) =>
      encodeURIComponent(text).replace(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`);
    const query = [...parameters]
      .map(([name, value]) => `${encode(name)}=${encode(value)}`)
      .sort()
      .join('&');
    const canonicalRequest = ['GET', '/', query, `host:${url.host}`, '', 'host', sha256('')].join('\n');
    const date = parameters.get('X-Amz-Date')!;
    expect(given).toBe(signature('UserSecretKey-1', date, 'us-west-2', service, canonicalRequest));
    return Object.fromEntries(parameters);
  };
  const COMMON = {
    'X-Amz-Algorithm': 'AWS4-HMAC-SHA256',
    'X-Amz-Date': '20200609T224151Z',
    'X-Amz-Expires': '900',
    'X-Amz-Security-Token': 'a/b+c=',
    'X-Amz-SignedHeaders': 'host',
  };

  it('for the cache is a signed request to connect as a user, without its scheme', async () => {
    const token = await cacheToken('parley-prod', 'parley-prod-send', from(SESSION), AT);
    expect(token).toMatch(/^parley-prod\/\?/);
    expect(verify(new URL(`http://${token}`), 'elasticache')).toEqual({
      ...COMMON,
      Action: 'connect',
      User: 'parley-prod-send',
      ResourceType: 'ServerlessCache',
      'X-Amz-Credential': 'UserID-1/20200609/us-west-2/elasticache/aws4_request',
    });
  });

  it('for the brokers is a signed request to connect, in base64url', async () => {
    const token = await kafkaToken(from(SESSION), AT);
    expect(token).toMatch(/^[\w-]+$/);
    const url = new URL(Buffer.from(token, 'base64url').toString());
    expect([url.origin, url.searchParams.get('User-Agent')]).toEqual([
      'https://kafka.us-west-2.amazonaws.com',
      'parley',
    ]);
    expect(verify(url, 'kafka-cluster')).toEqual({
      ...COMMON,
      Action: 'kafka-cluster:Connect',
      'X-Amz-Credential': 'UserID-1/20200609/us-west-2/kafka-cluster/aws4_request',
    });
  });
});

describe('the credentials of a role', () => {
  it('are read anew for every signature', async () => {
    const env: NodeJS.ProcessEnv = { AWS_ACCESS_KEY_ID: 'a', AWS_SECRET_ACCESS_KEY: 'b' };
    const source = credentialsOf(env);
    expect(await source()).toEqual({ accessKeyId: 'a', secretAccessKey: 'b' });
    Object.assign(env, { AWS_ACCESS_KEY_ID: 'c', AWS_SESSION_TOKEN: 'd' });
    expect(await source()).toEqual({ accessKeyId: 'c', secretAccessKey: 'b', sessionToken: 'd' });
  });
});

describe('the queue for parked records', () => {
  const RECORD = { topic: 'signals', partition: 3, offset: 7, code: 'INTERNAL' };
  let server: QueueServer;
  let queue: ParkedQueue;
  beforeEach(async () => {
    server = await openQueueServer();
    const queueUrl = 'https://sqs.eu-west-1.amazonaws.com/000000000000/parked';
    queue = new ParkedQueue({ queueUrl, signing: from(QUEUE_CREDENTIALS, 'eu-west-1'), endpoint: server.endpoint });
  });
  afterEach(() => server.close());

  it('gets one signed message for a record', async () => {
    await queue.send(RECORD);
    expect(server.messages).toEqual([RECORD]);
    const [{ headers, body }] = server.requests as [QueueServer['requests'][number]];
    expect(JSON.parse(body)).toMatchObject({ QueueUrl: 'https://sqs.eu-west-1.amazonaws.com/000000000000/parked' });
    const [, names = '', given] = /SignedHeaders=([^,]+), Signature=(\w+)/.exec(String(headers['authorization'])) ?? [];
    const lines = names.split(';').map((name) => `${name}:${String(headers[name])}`);
    const canonicalRequest = ['POST', '/', '', ...lines, '', names, sha256(body)].join('\n');
    const { secretAccessKey } = QUEUE_CREDENTIALS;
    expect(given).toBe(signature(secretAccessKey, String(headers['x-amz-date']), 'eu-west-1', 'sqs', canonicalRequest));
    expect(names.split(';')).toEqual(expect.arrayContaining(['host', 'x-amz-security-token', 'x-amz-target']));
  });

  it('that refuses, or does not answer, is not available', async () => {
    server.status = 403;
    await expect(queue.send(RECORD)).rejects.toThrow(Unavailable);
    await server.close();
    await expect(queue.send(RECORD)).rejects.toThrow(Unavailable);
  });
});
