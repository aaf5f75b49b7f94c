import { JwksIdentity } from '../../lambdas/ports/identity/jwks.ts';
import { Unavailable } from '../../lambdas/ports/unavailable.ts';
import { ScriptedServer, type Answer } from './support/scripted-server.ts';

const KEY = { kid: 'one', kty: 'RSA', n: 'abc', e: 'AQAB' };
const DISCOVERY = '/.well-known/openid-configuration';
const json = (value: unknown, status = 200): Answer => ({
  status,
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify(value),
});

let server: ScriptedServer;
let nowMs: number;
let identity: JwksIdentity;
let documents: Record<string, Answer>;

beforeEach(async () => {
  server = await ScriptedServer.start();
  nowMs = 1_000_000;
  documents = { '/keys': json({ keys: [KEY] }) };
  documents[DISCOVERY] = json({ issuer: server.url, jwks_uri: `${server.url}/keys` });
  server.answer = ({ path }) => documents[path] ?? { status: 404 };
  identity = new JwksIdentity({ issuer: server.url, audience: 'parley', timeoutMs: 200, now: () => nowMs });
});
afterEach(() => server.close());

const paths = (): string[] => server.received.map(({ path }) => path);

it('finds the keys by the discovery document of the issuer', async () => {
  expect(await identity.keySet()).toEqual({ keys: [KEY] });
  expect(paths()).toEqual([DISCOVERY, '/keys']);
});

it.each([
  ['has no discovery document', { status: 404 }],
  ['answers with a page instead', { headers: { 'content-type': 'text/html' }, body: '<html>' }],
] as const)('finds them at the usual place when the issuer %s', async (_what, answer) => {
  documents[DISCOVERY] = answer;
  documents['/.well-known/jwks.json'] = json({ keys: [KEY] });
  expect(await identity.keySet()).toEqual({ keys: [KEY] });
});

it('takes an issuer with a slash at its end as the tokens name it', async () => {
  const issuer = `${server.url}/`;
  documents[DISCOVERY] = json({ issuer, jwks_uri: `${server.url}/keys` });
  const slashed = new JwksIdentity({ issuer, audience: 'parley' });
  expect(await slashed.keySet()).toEqual({ keys: [KEY] });
  expect(slashed.issuer).toBe(issuer);
});

it('asks the issuer once for all who ask at the same moment, and again only after a while', async () => {
  await Promise.all([identity.keySet(), identity.keySet(), identity.keySet()]);
  nowMs += 4_999;
  await identity.keySet();
  expect(paths()).toHaveLength(2);
  nowMs += 1;
  documents['/keys'] = json({ keys: [{ ...KEY, kid: 'two' }] });
  expect((await identity.keySet()).keys[0]?.kid).toBe('two');
});

it('does not ask an issuer that failed before a moment has passed, and then does', async () => {
  documents['/keys'] = { status: 500 };
  for (let i = 0; i < 3; i++) await expect(identity.keySet()).rejects.toThrow(Unavailable);
  expect(paths()).toHaveLength(2);
  documents['/keys'] = json({ keys: [KEY] });
  nowMs += 1_000;
  expect(await identity.keySet()).toEqual({ keys: [KEY] });
});

it('leaves out what is no key', async () => {
  documents['/keys'] = json({ keys: [null, 7, { kty: 'RSA' }, { kid: 3, kty: 'RSA' }, KEY] });
  expect(await identity.keySet()).toEqual({ keys: [KEY] });
});

it.each([
  ['no keys', () => ({ '/keys': json({}) })],
  ['null', () => ({ '/keys': json(null) })],
  ['a failure', () => ({ '/keys': { status: 503 } as Answer })],
  ['no document', () => ({ '/keys': { status: 404 } as Answer })],
  ['no JSON', () => ({ '/keys': { headers: { 'content-type': 'application/json' }, body: '{' } as Answer })],
  ['far too much', () => ({ '/keys': json({ keys: [], pad: 'x'.repeat(300_000) }) })],
  ['silence', () => ({ '/keys': 'silence' as Answer })],
  [
    'a way to somewhere else',
    () => ({ '/keys': { status: 302, headers: { location: '/other' } }, '/other': json({ keys: [KEY] }) }),
  ],
  ['another issuer', () => ({ [DISCOVERY]: json({ issuer: 'https://other.test', jwks_uri: `${server.url}/keys` }) })],
  ['keys without encryption', () => ({ [DISCOVERY]: json({ issuer: server.url, jwks_uri: 'http://keys.test/keys' }) })],
  ['a discovery document that is a list', () => ({ [DISCOVERY]: json([]) })],
])('is unavailable when the issuer answers with %s', async (_what, more: () => Record<string, Answer>) => {
  Object.assign(documents, more());
  await expect(identity.keySet()).rejects.toThrow(Unavailable);
});

it.each(['http://issuer.test', 'ftp://issuer.test', 'issuer.test', ''])('refuses the issuer "%s"', (issuer) => {
  expect(() => new JwksIdentity({ issuer, audience: 'parley' })).toThrow('https');
});
