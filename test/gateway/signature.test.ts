import { createHash, createHmac } from 'node:crypto';
import { PostToConnectionCommand } from '@aws-sdk/client-apigatewaymanagementapi';
import { API_ID, Harness, KEY, REGION, type Answer, type Client } from './harness.ts';

let harness: Harness;
let client: Client;
let path: string;
beforeEach(async () => {
  harness = await Harness.start();
  client = await harness.connect();
  path = `/prod/@connections/${encodeURIComponent(harness.logs[0]!['connectionId'] as string)}`;
});
afterEach(() => harness.close());

interface Parts {
  method: string;
  path: string;
  query: string;
  headers: Record<string, string>;
  body: string;
  region: string;
  service: string;
  secret: string;
  keyId: string;
  date: string;
}

const amzDate = (offsetMs = 0): string => new Date(Date.now() + offsetMs).toISOString().replace(/[-:]|\.\d+/g, '');
const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');
const hmac = (key: string | Buffer, text: string): Buffer => createHmac('sha256', key).update(text).digest();

/** A second implementation of version 4, after its public description, so that the check is not measured by itself. */
function sign(over: Partial<Parts> = {}): Parts & { authorization: string } {
  const date = over.date ?? amzDate();
  const parts: Parts = {
    method: 'POST',
    path,
    query: '',
    headers: { host: `127.0.0.1:${harness.port}`, 'x-amz-date': date },
    body: 'signed',
    region: REGION,
    service: 'execute-api',
    secret: KEY.secretAccessKey,
    keyId: KEY.accessKeyId,
    date,
    ...over,
  };
  const names = Object.keys(parts.headers).sort();
  const canonicalPath = parts.path
    .split('/')
    .map((segment) => encodeURIComponent(segment))
    .join('/');
  const canonical = [
    parts.method,
    canonicalPath,
    parts.query,
    ...names.map((name) => `${name}:${parts.headers[name]!}`),
    '',
    names.join(';'),
    parts.headers['x-amz-content-sha256'] ?? sha256(parts.body),
  ].join('\n');
  const day = parts.date.slice(0, 8);
  const scope = `${day}/${parts.region}/${parts.service}/aws4_request`;
  const key = [day, parts.region, parts.service, 'aws4_request'].reduce<string | Buffer>(hmac, `AWS4${parts.secret}`);
  const signature = hmac(key, `AWS4-HMAC-SHA256\n${parts.date}\n${scope}\n${sha256(canonical)}`).toString('hex');
  const authorization = `AWS4-HMAC-SHA256 Credential=${parts.keyId}/${scope}, SignedHeaders=${names.join(';')}, Signature=${signature}`;
  return { ...parts, authorization };
}

function send(signed: Parts & { authorization: string }, over: Partial<Parts> = {}): Promise<Answer> {
  const { method, path: to, query, headers, body } = { ...signed, ...over };
  return harness.http(method, to + (query && `?${query}`), { ...headers, authorization: signed.authorization }, body);
}

const refusal = (answer: Answer): [number, unknown] => [answer.status, answer.headers['x-amzn-errortype']];
const BAD = [403, 'InvalidSignatureException'];

describe('a good signature', () => {
  it('of our own making passes', async () => {
    expect((await send(sign())).status).toBe(200);
    expect(await client.got(1)).toEqual(['signed']);
  });

  it('passes with %40 in the path, as other SDKs send it', async () => {
    expect((await send(sign({ path: path.replace('@', '%40') }))).status).toBe(200);
  });

  it('passes with the id left as it is', async () => {
    expect((await send(sign({ path: decodeURIComponent(path) }))).status).toBe(200);
  });

  it('passes with more headers signed, and a session token', async () => {
    const headers = {
      ...sign().headers,
      'content-type': 'application/json',
      'user-agent': 'tester/1',
      'x-amz-security-token': 'session',
      'x-amz-content-sha256': sha256('signed'),
    };
    expect((await send(sign({ headers }))).status).toBe(200);
  });

  it('passes with a query that is signed', async () => {
    expect((await send(sign({ query: 'a=1&b=x%20y' }))).status).toBe(200);
  });

  it.each([-4.9, 4.9])('passes %d minutes off the clock', async (minutes) => {
    expect((await send(sign({ date: amzDate(minutes * 60_000) }))).status).toBe(200);
  });
});

describe('403, and nothing is sent', () => {
  afterEach(() => expect(client.messages).toEqual([]));

  it.each<[string, Partial<Parts>]>([
    ['body', { body: 'tampered' }],
    ['method', { method: 'DELETE', body: 'signed' }],
    ['query', { query: 'a=1' }],
  ])('a tampered %s', async (_, over) => {
    expect(refusal(await send(sign(), over))).toEqual(BAD);
  });

  it('a tampered path: the signature for one connection does not open another', async () => {
    const other = await harness.connect();
    const otherId = harness.logs[1]!['connectionId'] as string;
    expect(refusal(await send(sign(), { path: `/prod/@connections/${encodeURIComponent(otherId)}` }))).toEqual(BAD);
    expect(other.messages).toEqual([]);
  });

  it('a tampered header', async () => {
    const signed = sign();
    const headers = { ...signed.headers, host: `${API_ID}.execute-api.${REGION}.amazonaws.com` };
    expect(refusal(await send(signed, { headers }))).toEqual(BAD);
  });

  it('a body that is not the one whose hash stands in the headers', async () => {
    const headers = { ...sign().headers, 'x-amz-content-sha256': sha256('signed') };
    expect(refusal(await send(sign({ headers }), { body: 'tampered' }))).toEqual(BAD);
  });

  it('an unsigned payload', async () => {
    const headers = { ...sign().headers, 'x-amz-content-sha256': 'UNSIGNED-PAYLOAD' };
    expect(refusal(await send(sign({ headers })))).toEqual(BAD);
  });

  it.each<[string, Partial<Parts>]>([
    ['wrong secret', { secret: 'wrong' }],
    ['other region', { region: 'us-east-1' }],
    ['other service', { service: 's3' }],
  ])('%s', async (_, over) => {
    expect(refusal(await send(sign(over)))).toEqual(BAD);
  });

  it.each([-5.1, 5.1, -60 * 24])('a date %d minutes off the clock', async (minutes) => {
    expect(refusal(await send(sign({ date: amzDate(minutes * 60_000) })))).toEqual(BAD);
  });

  it('a date that is not the signed one', async () => {
    const signed = sign({ date: amzDate(-6 * 60_000) });
    expect(refusal(await send(signed, { headers: { ...signed.headers, 'x-amz-date': amzDate() } }))).toEqual(BAD);
  });

  it('a signature that does not cover the date', async () => {
    const signed = sign({ headers: { host: `127.0.0.1:${harness.port}` } });
    expect(refusal(await send(signed, { headers: { ...signed.headers, 'x-amz-date': signed.date } }))).toEqual(BAD);
  });

  it('a signature that does not cover the host', async () => {
    const { host, ...headers } = sign().headers;
    expect(refusal(await send(sign({ headers }), { headers: { ...headers, host: host! } }))[0]).toBe(403);
  });

  it('an unknown key', async () => {
    expect(refusal(await send(sign({ keyId: 'AKIDUNKNOWN' })))).toEqual([403, 'UnrecognizedClientException']);
  });

  it.each([
    'x',
    'Bearer abc',
    'AWS4-HMAC-SHA256 Credential=x',
    `AWS4-HMAC-SHA256 Credential=${KEY.accessKeyId}/x, SignedHeaders=host, Signature=abc`,
    `AWS4-HMAC-SHA256 Credential=${KEY.accessKeyId}/20260101/r/s/aws4_request, SignedHeaders=host;__proto__;constructor, Signature=${'0'.repeat(64)}`,
  ])('the malformed header %s', async (authorization) => {
    const { headers } = sign();
    expect((await harness.http('POST', path, { ...headers, authorization }, 'signed')).status).toBe(403);
  });

  it.each(['constructor', '__proto__', 'x-not-sent'])('a signed header that is not there: %s', async (name) => {
    const signed = sign();
    const authorization = signed.authorization.replace('host;', `host;${name};`);
    expect(refusal(await send({ ...signed, authorization }))).toEqual(BAD);
  });
});

describe('the real SDK', () => {
  it.each<[string, Parameters<Harness['sdk']>[0], number, string]>([
    ['wrong secret', { key: { ...KEY, secretAccessKey: 'wrong' } }, 403, 'InvalidSignatureException'],
    ['unknown key', { key: { ...KEY, accessKeyId: 'AKIDUNKNOWN' } }, 403, 'UnrecognizedClientException'],
    ['other region', { region: 'us-east-1' }, 403, 'InvalidSignatureException'],
    ['clock six minutes slow', { clockOffsetMs: -360_000 }, 403, 'InvalidSignatureException'],
  ])('%s', async (_, options, status, name) => {
    const call = harness
      .sdk({ maxAttempts: 1, ...options })
      .send(new PostToConnectionCommand({ ConnectionId: 'AAAAAAAAAAAAAAA=', Data: 'x' }));
    await expect(call).rejects.toMatchObject({ name, $metadata: { httpStatusCode: status } });
  });
});
