import { SettingError, stageFromContext } from '../../lib/settings.ts';

const GIVEN = { issuer: 'https://issuer.example', audience: 'parley' };
const stageOf = (context: Record<string, unknown>) => stageFromContext((name) => context[name]);

describe('the settings of a deployment', () => {
  it('take the small stage unless another is named', () => {
    expect(stageOf(GIVEN).name).toBe('small');
    expect(stageOf({ ...GIVEN, stage: 'prod' }).name).toBe('prod');
  });

  it('carry the identity provider and the origins', () => {
    const stage = stageOf({ ...GIVEN, origins: 'https://a.example,http://localhost:5173' });
    expect(stage.identity).toEqual(GIVEN);
    expect(stage.allowedOrigins).toEqual(['https://a.example', 'http://localhost:5173']);
  });

  it('allow an issuer on the loopback address, for a run on one machine', () => {
    expect(stageOf({ ...GIVEN, issuer: 'http://127.0.0.1:8787' }).identity.issuer).toBe('http://127.0.0.1:8787');
  });

  it.each([
    ['a stage that does not exist', { ...GIVEN, stage: 'staging' }, /stage: .*"staging".*small, prod/],
    ['a name that every object has', { ...GIVEN, stage: 'constructor' }, /stage: .*"constructor"/],
    ['no issuer', { audience: 'parley' }, /issuer: missing.*-c issuer=/],
    ['an empty audience', { ...GIVEN, audience: '' }, /audience: missing.*-c audience=|audience: missing/],
    ['an issuer without TLS', { ...GIVEN, issuer: 'http://issuer.example' }, /issuer: .*no https URL/],
    ['an issuer that is no URL', { ...GIVEN, issuer: 'issuer' }, /issuer: .*no https URL/],
    ['an origin with a path', { ...GIVEN, origins: 'https://a.example/chat' }, /origins: .*no origin/],
  ])('refuse %s, and say what to do', (_, context, message) => {
    expect(() => stageOf(context)).toThrow(SettingError);
    expect(() => stageOf(context)).toThrow(message);
  });
});
