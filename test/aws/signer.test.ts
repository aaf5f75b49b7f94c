import { SignatureV4 } from '@smithy/signature-v4';
import fc from 'fast-check';
import { Signer } from '../../lambdas/runtime/aws/signer.ts';
import { Sha256 } from '../../local/sha256.ts';

/** The key, the time and the requests of AWS's own test suite for signers, with the signatures that it publishes. */
describe('the suite that AWS publishes', () => {
  const AT = new Date('2015-08-30T12:36:00Z');
  const signer = new Signer({
    service: 'service',
    region: 'us-east-1',
    credentials: { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY' },
  });
  const host = 'example.amazonaws.com';
  const get = { method: 'GET', path: '/', headers: { host } };
  const post = { ...get, method: 'POST' };
  const form = { 'content-type': 'application/x-www-form-urlencoded' };

  it.each([
    ['get-vanilla', get, '5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31'],
    ['post-vanilla', post, '5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b'],
    [
      'get-vanilla-query-order-key-case',
      { ...get, query: { Param2: 'value2', Param1: 'value1' } },
      'b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500',
    ],
    [
      'post-x-www-form-urlencoded',
      { ...post, headers: { host, ...form }, body: 'Param1=value1' },
      'ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a',
    ],
  ])('%s', async (_name, request, signature) => {
    const { authorization } = await signer.sign(request, AT);
    expect(authorization).toMatch(
      /^AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE\/20150830\/us-east-1\/service\/aws4_request, /,
    );
    expect(authorization).toMatch(new RegExp(`Signature=${signature}$`));
  });
});

describe('beside the signer of the SDK', () => {
  const secret = fc.stringMatching(/^[A-Za-z0-9/+]{1,40}$/);
  const options = fc.record({
    service: fc.constantFrom('execute-api', 'dynamodb', 'lambda', 'kafka-cluster'),
    region: fc.constantFrom('eu-west-1', 'us-gov-east-1'),
    credentials: fc.record(
      { accessKeyId: fc.stringMatching(/^[A-Z0-9]{1,20}$/), secretAccessKey: secret, sessionToken: secret },
      { requiredKeys: ['accessKeyId', 'secretAccessKey'] },
    ),
  });
  const at = fc.date({ min: new Date('2020-01-01'), max: new Date('2040-01-01'), noInvalidDate: true });
  const text = fc.string({ unit: fc.constantFrom(...Array.from("aZ09-._~ !'()*/=&+%,:;@é😀")), maxLength: 12 });
  // Parts that are dots only would be normalized away, and no service of ours has them.
  const part = text.filter((one) => !/^\.*$/.test(one)).map(encodeURIComponent);
  const query = fc.dictionary(fc.stringMatching(/^[A-Za-z][\w.-]{0,10}$/), text, { maxKeys: 4 });
  const request = fc.record({
    method: fc.constantFrom('GET', 'POST', 'DELETE', 'PUT'),
    path: fc.array(part, { maxLength: 4 }).map((parts) => `/${parts.join('/')}`),
    query,
    headers: fc
      .dictionary(fc.stringMatching(/^x-[a-z]{1,8}(-[a-z0-9]{1,4})?$/), fc.stringMatching(/^[ -~]{0,20}$/), {
        maxKeys: 4,
      })
      .map((headers) => ({ ...headers, host: 'host.example:8443' })),
    body: fc.option(fc.string({ unit: 'grapheme', maxLength: 40 }), { nil: undefined }),
  });

  it('signs every request alike, whatever the last one was', async () => {
    await fc.assert(
      fc.asyncProperty(
        options,
        fc.array(fc.tuple(request, at), { minLength: 1, maxLength: 4 }),
        async (as, requests) => {
          const ours = new Signer(as);
          const theirs = new SignatureV4({ ...as, sha256: Sha256, applyChecksum: false });
          for (const [{ body, ...unsigned }, signingDate] of requests) {
            const expected = await theirs.sign(
              { ...unsigned, protocol: 'https:', hostname: 'host.example', ...(body !== undefined && { body }) },
              { signingDate },
            );
            const signed = await ours.sign({ ...unsigned, ...(body !== undefined && { body }) }, signingDate);
            expect(signed).toEqual(expected.headers);
          }
        },
      ),
      { numRuns: 300 },
    );
  });

  it('presigns every address alike', async () => {
    await fc.assert(
      fc.asyncProperty(
        options,
        query,
        at,
        fc.integer({ min: 1, max: 900 }),
        async (as, parameters, signingDate, expiresIn) => {
          const hostname = 'host.example';
          const theirs = new SignatureV4({ ...as, sha256: Sha256 });
          const { query: expected } = await theirs.presign(
            {
              method: 'GET',
              protocol: 'https:',
              hostname,
              path: '/',
              query: { ...parameters },
              headers: { host: hostname },
            },
            { expiresIn, signingDate },
          );
          const presigned = await new Signer(as).presign(hostname, parameters, expiresIn, signingDate);
          expect(Object.fromEntries(new URLSearchParams(presigned))).toEqual(expected);
        },
      ),
      { numRuns: 300 },
    );
  });
});

it('signs with the new key once the credentials have changed', async () => {
  let secretAccessKey = 'first';
  const signer = new Signer({
    service: 'lambda',
    region: 'eu-west-1',
    credentials: () => Promise.resolve({ accessKeyId: 'AKID', secretAccessKey }),
  });
  const request = { method: 'POST', path: '/', headers: { host: 'h' } };
  const at = new Date('2026-01-01T00:00:00Z');
  const first = await signer.sign(request, at);
  secretAccessKey = 'second';
  const second = await signer.sign(request, at);
  secretAccessKey = 'first';
  expect(second).not.toEqual(first);
  expect(await signer.sign(request, at)).toEqual(first);
});
