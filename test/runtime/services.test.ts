import { createServer, type IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { SignatureV4 } from '@smithy/signature-v4';
import { Access } from '../../local/aws/access.ts';
import { selfSigned } from '../../local/aws/certificate.ts';
import { DynamoDb } from '../../local/aws/dynamodb.ts';
import { HttpsServices, type HttpService } from '../../local/aws/https-services.ts';
import { Keyring } from '../../local/aws/keyring.ts';
import { LambdaApi } from '../../local/aws/lambda-api.ts';
import { Sqs } from '../../local/aws/sqs.ts';
import { failure } from '../../local/lambda/result.ts';
import { Sha256 } from '../../local/sha256.ts';
import { ACCOUNT_ID, allow, makeFunction, REGION, removeFolders } from './fixtures.ts';

const ARN = `:${REGION}:${ACCOUNT_ID}`;
const QUEUE = {
  name: 'parked',
  url: `https://sqs.${REGION}.amazonaws.com/${ACCOUNT_ID}/parked`,
  arn: `arn:aws:sqs${ARN}:parked`,
  attributes: {},
};

const log: string[] = [];
const forwarded: IncomingMessage[] = [];
const keyring = new Keyring(['may', 'may-not']);
const certificate = selfSigned([
  '127.0.0.1',
  `dynamodb.${REGION}.amazonaws.com`,
  `lambda.${REGION}.amazonaws.com`,
  `sqs.${REGION}.amazonaws.com`,
]);
const upstream = createServer((request, response) => {
  forwarded.push(request);
  request
    .resume()
    .on('end', () =>
      response.writeHead(200, { 'content-type': 'application/x-amz-json-1.0', 'x-amz-crc32': '1' }).end('{"Item":{}}'),
    );
});
let https: HttpsServices;
let dynamoDb: DynamoDb;
let port: number;
let sqs: Sqs;

beforeAll(async () => {
  upstream.listen(0, '127.0.0.1');
  await once(upstream, 'listening');
  const statements = [
    allow(['dynamodb:GetItem'], [`arn:aws:dynamodb${ARN}:table/items`]),
    allow(['lambda:InvokeFunction'], [`arn:aws:lambda${ARN}:function:deliver`, `arn:aws:lambda${ARN}:function:gone`]),
    allow(['sqs:SendMessage'], [QUEUE.arn]),
  ];
  const functions = new Map([
    ['may', makeFunction('may', '', { statements })],
    ['may-not', makeFunction('may-not', '')],
  ]);
  const access = new Access(functions, ACCOUNT_ID, (line) => log.push(line));
  const engine = { host: '127.0.0.1', port: (upstream.address() as AddressInfo).port };
  sqs = new Sqs({ access, queues: [QUEUE], engine, region: REGION });
  dynamoDb = new DynamoDb({
    ...engine,
    access,
    arnPrefix: `arn:aws:dynamodb${ARN}`,
  });
  const runtime = {
    has: (name: string) => name === 'deliver',
    invoke: (_: string, event: unknown) =>
      Promise.resolve(
        (event as { fail?: boolean }).fail === true
          ? failure('Error', 'no')
          : { payload: '{"served":[]}', failed: false },
      ),
  };
  const services: Record<string, HttpService> = {
    dynamodb: dynamoDb,
    lambda: new LambdaApi({
      access,
      runtime: () => runtime,
      arnPrefix: `arn:aws:lambda${ARN}:function`,
      log: (line) => log.push(line),
    }),
    sqs,
  };
  https = new HttpsServices({
    certificate,
    region: REGION,
    keyring,
    services: new Map(Object.entries(services).map(([name, service]) => [`${name}.${REGION}.amazonaws.com`, service])),
    otherwise: () => false,
    log: (line) => log.push(line),
  });
  port = await https.listen();
});

afterAll(async () => {
  await https.close();
  dynamoDb.close();
  sqs.close();
  upstream.closeAllConnections();
  upstream.close();
  removeFolders();
});

beforeEach(() => {
  log.length = 0;
  forwarded.length = 0;
});

interface Sent {
  readonly service: string;
  readonly caller?: string;
  readonly path?: string;
  readonly headers?: Record<string, string>;
  readonly body: object;
  /** Breaks what was signed. */
  readonly tamper?: (headers: Record<string, string>) => void;
}

/** Sends a signed call to the name that the service has on AWS, with the certificate checked. */
async function send({ service, caller = 'may', path = '/', headers = {}, body, tamper }: Sent) {
  const hostname = `${service}.${REGION}.amazonaws.com`;
  const signer = new SignatureV4({ service, region: REGION, credentials: keyring.of(caller), sha256: Sha256 });
  const text = JSON.stringify(body);
  const signed = await signer.sign({
    method: 'POST',
    protocol: 'https:',
    hostname,
    path,
    headers: { host: hostname, ...headers },
    body: text,
  });
  tamper?.(signed.headers);
  const request = httpsRequest({
    host: '127.0.0.1',
    port,
    servername: hostname,
    ca: certificate.cert,
    method: 'POST',
    path,
    headers: signed.headers,
    agent: false,
  });
  request.end(text);
  const [response] = (await once(request, 'response')) as [IncomingMessage];
  let answer = '';
  for await (const chunk of response as AsyncIterable<Buffer>) answer += chunk.toString();
  return {
    status: response.statusCode,
    headers: response.headers,
    answer: JSON.parse(answer === '' ? 'null' : answer) as Record<string, unknown>,
  };
}

const getItem = (parts: Partial<Sent> = {}): Sent => ({
  service: 'dynamodb',
  headers: { 'x-amz-target': 'DynamoDB_20120810.GetItem' },
  body: { TableName: 'items', Key: {} },
  ...parts,
});

describe('DynamoDB on this machine', () => {
  it('takes to DynamoDB Local what the role allows', async () => {
    expect(await send(getItem())).toMatchObject({ status: 200, answer: { Item: {} }, headers: { 'x-amz-crc32': '1' } });
    expect(forwarded.map(({ headers }) => headers['x-amz-target'])).toEqual(['DynamoDB_20120810.GetItem']);
    expect(log).toEqual([]);
  });

  it.each([
    ['another function', { caller: 'may-not' }, 'may-not', 'dynamodb:GetItem', 'items'],
    [
      'another action',
      { headers: { 'x-amz-target': 'DynamoDB_20120810.PutItem' } },
      'may',
      'dynamodb:PutItem',
      'items',
    ],
    ['another table', { body: { TableName: 'other' } }, 'may', 'dynamodb:GetItem', 'other'],
  ])('refuses %s as AWS does, and names the missing action', async (_, parts, caller, action, table) => {
    const resource = `arn:aws:dynamodb${ARN}:table/${table}`;
    expect(await send(getItem(parts))).toMatchObject({
      status: 400,
      answer: {
        __type: 'com.amazon.coral.service#AccessDeniedException',
        message: `User: ${caller} is not authorized to perform: ${action} on resource: ${resource}`,
      },
    });
    expect(forwarded).toEqual([]);
    expect(log).toEqual([`REFUSED ${caller}: ${action} on ${resource}: no statement of its role allows it`]);
  });

  it.each([
    [
      'no signature',
      (headers: Record<string, string>) => Reflect.deleteProperty(headers, 'authorization'),
      'MissingAuthenticationTokenException',
    ],
    [
      'a signature that was changed',
      (headers: Record<string, string>) =>
        (headers['authorization'] = headers['authorization']!.replace(/.$/, (last) => (last === '0' ? '1' : '0'))),
      'InvalidSignatureException',
    ],
    [
      'an unknown key',
      (headers: Record<string, string>) =>
        (headers['authorization'] = headers['authorization']!.replace('Credential=ASIA', 'Credential=ASIX')),
      'UnrecognizedClientException',
    ],
    [
      'a call that was signed for another one',
      (headers: Record<string, string>) => (headers['x-amz-target'] = 'DynamoDB_20120810.Scan'),
      'InvalidSignatureException',
    ],
  ])('refuses %s', async (_, tamper, type) => {
    const { status, answer } = await send(getItem({ tamper: (headers) => void tamper(headers) }));
    expect({ status, type: answer['__type'] }).toEqual({ status: 400, type: `com.amazon.coral.service#${type}` });
    expect(forwarded).toEqual([]);
  });
});

describe('Lambda Invoke on this machine', () => {
  const invoke = (name: string, body: object = {}, caller = 'may', headers = {}): Sent => ({
    service: 'lambda',
    caller,
    path: `/2015-03-31/functions/${name}/invocations`,
    headers,
    body,
  });

  it('answers with the payload of the function', async () => {
    expect(await send(invoke('deliver'))).toMatchObject({
      status: 200,
      answer: { served: [] },
      headers: { 'x-amz-executed-version': '$LATEST' },
    });
  });

  it('tells a failed function from a failed call', async () => {
    const { status, headers, answer } = await send(invoke('deliver', { fail: true }));
    expect({ status, error: headers['x-amz-function-error'], answer }).toEqual({
      status: 200,
      error: 'Unhandled',
      answer: { errorType: 'Error', errorMessage: 'no' },
    });
  });

  it('does not wait for an event', async () => {
    expect(await send(invoke('deliver', {}, 'may', { 'x-amz-invocation-type': 'Event' }))).toMatchObject({
      status: 202,
    });
  });

  it('refuses what the role does not allow, and what is not there', async () => {
    expect(await send(invoke('deliver', {}, 'may-not'))).toMatchObject({
      status: 403,
      headers: { 'x-amzn-errortype': 'AccessDeniedException' },
    });
    expect(log).toEqual([
      `REFUSED may-not: lambda:InvokeFunction on arn:aws:lambda${ARN}:function:deliver: no statement of its role allows it`,
    ]);
    expect(await send(invoke('gone'))).toMatchObject({
      status: 404,
      headers: { 'x-amzn-errortype': 'ResourceNotFoundException' },
    });
  });
});

describe('SQS on this machine', () => {
  const park = (caller: string, url = QUEUE.url, operation = 'SendMessage'): Sent => ({
    service: 'sqs',
    caller,
    headers: { 'x-amz-target': `AmazonSQS.${operation}` },
    body: { QueueUrl: url, MessageBody: '{"seq":1}' },
  });

  it('takes to the engine what the role allows, with the key of the account in place of the caller', async () => {
    expect(await send(park('may'))).toMatchObject({ status: 200 });
    const [{ headers }] = forwarded as [IncomingMessage];
    expect(headers).toMatchObject({
      'x-amz-target': 'AmazonSQS.SendMessage',
      authorization: expect.stringContaining(`Credential=test/20200101/${REGION}/sqs/`) as string,
    });
    expect(headers['x-amz-security-token']).toBeUndefined();
  });

  it('takes a batch where the single message is allowed', async () => {
    expect(await send(park('may', QUEUE.url, 'SendMessageBatch'))).toMatchObject({ status: 200 });
    expect(forwarded).toHaveLength(1);
  });

  it('refuses who may not, a queue that is not there, and what it does not know', async () => {
    expect(await send(park('may-not'))).toMatchObject({
      status: 403,
      answer: { __type: 'com.amazonaws.sqs#AccessDeniedException' },
    });
    expect(log).toEqual([`REFUSED may-not: sqs:SendMessage on ${QUEUE.arn}: no statement of its role allows it`]);
    expect(await send(park('may', QUEUE.url, 'ReceiveMessage'))).toMatchObject({ status: 403 });
    expect(await send(park('may', `${QUEUE.url}2`))).toMatchObject({
      status: 400,
      answer: { __type: 'com.amazonaws.sqs#QueueDoesNotExist' },
    });
    expect(await send(park('may', QUEUE.url, 'PurgeQueue'))).toMatchObject({
      status: 400,
      answer: { __type: 'com.amazonaws.sqs#UnknownOperationException' },
    });
    expect(forwarded).toEqual([]);
  });
});
