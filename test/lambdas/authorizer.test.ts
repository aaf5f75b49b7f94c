import type { APIGatewayRequestAuthorizerEvent } from 'aws-lambda';
import { base64url, exportJWK, generateKeyPair, SignJWT, type CryptoKey } from 'jose';
import { createHandler } from '../../lambdas/authorizer.ts';
import type { KeySet } from '../../lambdas/ports/identity/port.ts';
import { Unavailable } from '../../lambdas/ports/unavailable.ts';
import type { Services } from '../../lambdas/runtime/services.ts';
import { Stage } from './support/stage.ts';

const ISSUER = 'https://issuer.test';
const ORIGIN = 'https://chat.test';
const METHOD_ARN = 'arn:aws:execute-api:eu-west-1:000000000000:abcdefghij/test/$connect';

let key: CryptoKey;
let keys: KeySet;
let fetches: number;
let services: Services;

beforeAll(async () => {
  const { publicKey, privateKey } = await generateKeyPair('RS256');
  key = privateKey;
  keys = { keys: [{ ...(await exportJWK(publicKey)), kty: 'RSA', kid: 'k1', alg: 'RS256', use: 'sig' }] };
});

beforeEach(() => {
  fetches = 0;
  services = {
    ...new Stage().services,
    settings: { allowedOrigins: [ORIGIN] },
    now: Date.now,
    identity: {
      issuer: ISSUER,
      audience: 'parley',
      keySet: () => {
        fetches++;
        return Promise.resolve(keys);
      },
    },
  };
});

const nowS = (): number => Math.floor(Date.now() / 1_000);

interface Shape {
  claims?: object;
  header?: object;
  signer?: CryptoKey;
}

function token({ claims, header, signer = key }: Shape = {}): Promise<string> {
  const usual = { iss: ISSUER, aud: 'parley', sub: 'ana', workspaceId: 'w1', iat: nowS(), exp: nowS() + 600 };
  return new SignJWT({ ...usual, ...claims }).setProtectedHeader({ alg: 'RS256', kid: 'k1', ...header }).sign(signer);
}

interface Upgrade {
  protocols?: string[];
  origins?: string[];
  query?: Record<string, string>;
}

function upgrade({ protocols = [], origins, query }: Upgrade): APIGatewayRequestAuthorizerEvent {
  const multiValueHeaders = { 'Sec-WebSocket-Protocol': protocols, ...(origins && { Origin: origins }) };
  return {
    type: 'REQUEST',
    methodArn: METHOD_ARN,
    multiValueHeaders,
    queryStringParameters: query ?? null,
  } as unknown as APIGatewayRequestAuthorizerEvent;
}

const decide = (event: APIGatewayRequestAuthorizerEvent) => createHandler(services)(event);
const withToken = async (shape: Shape = {}, more: Upgrade = {}) =>
  decide(upgrade({ protocols: [`parley.v1, bearer.${await token(shape)}`], ...more }));
const effectOf = async (answer: ReturnType<typeof decide>): Promise<unknown> =>
  (await answer).policyDocument.Statement[0]?.Effect;

describe('the authorizer', () => {
  it('lets a valid token in, and hands on who it is, as strings', async () => {
    const exp = nowS() + 600;
    expect(await withToken({ claims: { exp, name: 'Ana' } }, { query: { deviceId: 'phone-1' } })).toEqual({
      principalId: 'ana',
      policyDocument: {
        Version: '2012-10-17',
        Statement: [{ Action: 'execute-api:Invoke', Effect: 'Allow', Resource: METHOD_ARN }],
      },
      context: { userId: 'ana', workspaceId: 'w1', deviceId: 'phone-1', expiresAtMs: String(exp * 1_000), name: 'Ana' },
    });
  });

  it('makes up a device where none, or none of the right form, is named', async () => {
    const devices = [undefined, { deviceId: '' }, { deviceId: 'a/b' }, { deviceId: 'x'.repeat(65) }].map(
      async (query) => {
        const { context } = await withToken({}, query ? { query } : {});
        return context?.['deviceId'];
      },
    );
    const made = await Promise.all(devices);
    expect(new Set(made).size).toBe(4);
    for (const deviceId of made) expect(deviceId).toMatch(/^[0-9a-f-]{36}$/);
  });

  it('leaves out a name that is not fit to be shown', async () => {
    for (const name of ['', '\u202eana', 'x'.repeat(65), 7]) {
      expect((await withToken({ claims: { name } })).context).not.toHaveProperty('name');
    }
  });

  it('answers 401 unless there is exactly one token', async () => {
    const bearer = `bearer.${await token()}`;
    const offers = [
      [],
      ['parley.v1'],
      ['parley.v1, bearer.'],
      [`${bearer}, ${bearer}`],
      ['parley.v1', bearer, bearer],
      [bearer.slice(7)],
    ];
    for (const protocols of offers) await expect(decide(upgrade({ protocols }))).rejects.toThrow(/^Unauthorized$/);
  });

  const stranger = async (): Promise<CryptoKey> => (await generateKeyPair('RS256')).privateKey;
  const BAD: Record<string, () => Promise<Shape> | Shape> = {
    'has expired': () => ({ claims: { exp: nowS() - 1 } }),
    'never ends': () => ({ claims: { exp: undefined } }),
    'is not valid yet': () => ({ claims: { nbf: nowS() + 600 } }),
    'was issued in the future': () => ({ claims: { iat: nowS() + 120 } }),
    'is of another issuer': () => ({ claims: { iss: 'https://evil.test' } }),
    'is for another audience': () => ({ claims: { aud: 'other' } }),
    'names no user': () => ({ claims: { sub: undefined } }),
    'names a user of a wrong form': () => ({ claims: { sub: 'w2/ana' } }),
    'is signed by a stranger': async () => ({ signer: await stranger() }),
    'names a key that does not exist': () => ({ header: { kid: 'k2' } }),
  };
  it.each(Object.keys(BAD))('answers 401 for a token that %s', async (what) => {
    await expect(withToken(await BAD[what]!())).rejects.toThrow(/^Unauthorized$/);
  });

  it('answers 401 for a token that is not signed, or signed with the public key as a secret', async () => {
    const [, payload] = (await token()).split('.');
    const unsigned = `${base64url.encode('{"alg":"none","kid":"k1"}')}.${payload!}.`;
    const secret = new TextEncoder().encode(JSON.stringify(keys.keys[0]));
    const claims = { iss: ISSUER, aud: 'parley', sub: 'ana', workspaceId: 'w1', exp: nowS() + 600 };
    const confused = await new SignJWT(claims).setProtectedHeader({ alg: 'HS256', kid: 'k1' }).sign(secret);
    for (const bad of [unsigned, `${unsigned}x`, confused]) {
      await expect(decide(upgrade({ protocols: [`parley.v1, bearer.${bad}`] }))).rejects.toThrow(/^Unauthorized$/);
    }
  });

  it('answers 401 for a token that says something twice', async () => {
    const { sign } = await import('node:crypto');
    const { KeyObject } = await import('node:crypto');
    const text = `{"iss":"${ISSUER}","aud":"parley","sub":"ana","sub":"ben","workspaceId":"w1","exp":${nowS() + 600}}`;
    const head = `${base64url.encode('{"alg":"RS256","kid":"k1"}')}.${base64url.encode(text)}`;
    const signature = sign('sha256', Buffer.from(head), KeyObject.from(key)).toString('base64url');
    await expect(decide(upgrade({ protocols: [`parley.v1, bearer.${head}.${signature}`] }))).rejects.toThrow(
      /^Unauthorized$/,
    );
  });

  it('forgives a minute between the clocks', async () => {
    expect(await effectOf(withToken({ claims: { iat: nowS() + 50 } }))).toBe('Allow');
  });

  it('answers 403 for a token without one workspace', async () => {
    for (const workspaceId of [undefined, '', 'a/b', ['w1', 'w2'], 5]) {
      const answer = await withToken({ claims: { workspaceId } });
      expect(answer.policyDocument.Statement[0]?.Effect).toBe('Deny');
      expect(answer).not.toHaveProperty('context');
    }
  });

  it('answers 403 for a wrong origin, and lets in the right one and whoever is no browser', async () => {
    for (const origins of [
      ['https://evil.test'],
      ['null'],
      [''],
      [ORIGIN, ORIGIN],
      [`${ORIGIN}/`],
      [ORIGIN.toUpperCase()],
    ]) {
      expect(await effectOf(withToken({}, { origins }))).toBe('Deny');
    }
    expect(await effectOf(withToken({}, { origins: [ORIGIN] }))).toBe('Allow');
    expect(await effectOf(withToken())).toBe('Allow');
  });

  it('judges the token before the origin, so that a wrong origin learns nothing of a bad token', async () => {
    await expect(withToken({ claims: { exp: 1 } }, { origins: ['https://evil.test'] })).rejects.toThrow(
      /^Unauthorized$/,
    );
  });

  it('asks for the keys once, and again only for a key that it does not know', async () => {
    const handler = createHandler(services);
    const event = async (shape?: Shape) => upgrade({ protocols: [`parley.v1, bearer.${await token(shape)}`] });
    for (let i = 0; i < 3; i++) await handler(await event());
    expect(fetches).toBe(1);
  });

  it('fails, and does not call the token bad, when the keys cannot be had', async () => {
    services = {
      ...services,
      identity: { ...services.identity, keySet: () => Promise.reject(new Unavailable('down')) },
    };
    await expect(withToken()).rejects.not.toThrow(/^Unauthorized$/);
  });
});
