import { LambdaInvoke } from '../../lambdas/ports/direct-delivery/lambda-invoke.ts';
import type { DirectRequest } from '../../lambdas/ports/direct-delivery/port.ts';
import { Unavailable } from '../../lambdas/ports/unavailable.ts';
import { SignedHttp } from '../../lambdas/runtime/aws/signed-http.ts';
import { conversationKey } from '../../lambdas/runtime/keys.ts';
import { ScriptedServer } from './support/scripted-server.ts';

const REGION = 'eu-west-1';
const credentials = { accessKeyId: 'TEST', secretAccessKey: 'secret', sessionToken: 'session' };

let server: ScriptedServer;

beforeEach(async () => {
  server = await ScriptedServer.start();
});
afterEach(() => server.close());

describe('a signed request', () => {
  let http: SignedHttp;
  const send = (more: Partial<Parameters<SignedHttp['send']>[0]> = {}) =>
    http.send({ method: 'POST', path: '/', body: '{}', timeoutMs: 5_000, ...more });

  beforeEach(() => {
    http = new SignedHttp({ endpoint: server.url, service: 'dynamodb', region: REGION, credentials, socketsMax: 1 });
  });
  afterEach(() => http.destroy());

  it('carries a signature for its service, of the credentials as they are by then', async () => {
    let accessKeyId = 'FIRST';
    const source = () => Promise.resolve({ ...credentials, accessKeyId });
    http.destroy();
    http = new SignedHttp({ endpoint: server.url, service: 'dynamodb', region: REGION, credentials: source });
    await send();
    accessKeyId = 'SECOND';
    await send();
    const [first, second] = server.received.map(({ headers }) => headers);
    expect(first?.authorization).toMatch(
      /^AWS4-HMAC-SHA256 Credential=FIRST\/\d{8}\/eu-west-1\/dynamodb\/aws4_request, /,
    );
    expect(second?.authorization).toContain('Credential=SECOND/');
    expect(first?.['x-amz-security-token']).toBe('session');
  });

  it('is answered with status, headers and text, whatever the status', async () => {
    server.answer = () => ({ status: 503, headers: { 'x-why': 'busy' }, body: 'wait\u00e9' });
    expect(await send()).toMatchObject({ status: 503, headers: { 'x-why': 'busy' }, body: 'wait\u00e9' });
  });

  it('is sent again when the kept-alive socket turns out to be dead', async () => {
    await send();
    server.answer = (_request, count) => (count === 2 ? 'hang up' : { body: 'again' });
    expect((await send()).body).toBe('again');
    expect(server.received).toHaveLength(3);
  });

  it('is not sent again when a new socket ends: it may have been carried out', async () => {
    server.answer = () => 'hang up';
    await expect(send()).rejects.toThrow(Unavailable);
    expect(server.received).toHaveLength(1);
  });

  it('ends in its time, the wait for a socket included', async () => {
    server.answer = () => 'silence';
    const waiting = [send({ timeoutMs: 60 }), send({ timeoutMs: 30 })];
    for (const one of waiting) await expect(one).rejects.toThrow(Unavailable);
  });

  it('to nobody is unavailable', async () => {
    const nobody = new SignedHttp({ endpoint: 'http://127.0.0.1:1', service: 's', region: REGION, credentials });
    const request = nobody.send({ method: 'POST', path: '/', timeoutMs: 5_000 });
    await expect(request).rejects.toThrow(Unavailable);
  });
});

describe('the invocation of deliver', () => {
  let invoke: LambdaInvoke;
  const request: DirectRequest = {
    type: 'direct',
    conversation: conversationKey({ workspaceId: 'w' }, 'c'),
    entry: { conversationId: 'c', id: '1', seq: 1, kind: 'void' },
    memberIds: ['ana', 'ben'],
  };
  const deliver = (deadlineMs = 5_000) => invoke.deliver(request, deadlineMs);

  beforeEach(() => {
    const functionName = 'parley-small-deliver';
    invoke = new LambdaInvoke({ endpoint: server.url, region: REGION, credentials, functionName });
  });
  afterEach(() => invoke.destroy());

  it('hands the request over and waits for who was served', async () => {
    server.answer = () => ({ body: '{"served":["ana"]}' });
    expect(await deliver()).toEqual({ served: ['ana'] });
    const [received] = server.received;
    expect(received).toMatchObject({
      method: 'POST',
      path: '/2015-03-31/functions/parley-small-deliver/invocations',
      headers: { 'x-amz-invocation-type': 'RequestResponse' },
    });
    expect(received?.headers.authorization).toContain('/lambda/aws4_request');
    expect(JSON.parse(received?.body ?? '')).toEqual(request);
  });

  it.each([
    ['a function that failed', { headers: { 'x-amz-function-error': 'Unhandled' }, body: '{"errorType":"Error"}' }],
    ['a throttled function', { status: 429, headers: { 'x-amzn-errortype': 'TooManyRequestsException' } }],
    ['a role that may not', { status: 403, headers: { 'x-amzn-errortype': 'AccessDeniedException' } }],
    ['a service that failed', { status: 500 }],
    ['something else', { body: '{"statusCode":200}' }],
    ['null', { body: 'null' }],
    ['no JSON', { body: 'hello' }],
    ['nothing', { body: '' }],
    ['no answer', 'silence'],
    ['an end', 'hang up'],
  ] as const)('is unavailable after %s: the stream serves everybody', async (_what, answer) => {
    server.answer = () => answer;
    await expect(deliver(answer === 'silence' ? 50 : undefined)).rejects.toThrow(Unavailable);
    expect(server.received).toHaveLength(1);
  });
});
