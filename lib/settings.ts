import { STAGES, type Stage, type StageInput, type StageName } from './stages.ts';

/** A setting that is missing or makes no sense: the message says which, and what to do. */
export class SettingError extends Error {}

/**
 * The stage that the context asks for: `-c stage=small|prod -c issuer=… -c audience=… [-c origins=https://a,https://b]`.
 * @throws {SettingError}
 */
export function stageFromContext(get: (name: string) => unknown): Stage {
  const name = text(get('stage')) ?? 'small';
  if (!isStageName(name)) {
    throw new SettingError(`stage: there is no stage "${name}". Choose one of ${Object.keys(STAGES).join(', ')}.`);
  }
  const input: StageInput = {
    identity: { issuer: issuerOf(get('issuer')), audience: required('audience', get('audience')) },
    allowedOrigins: (text(get('origins')) ?? '')
      .split(',')
      .filter((origin) => origin !== '')
      .map(checkOrigin),
  };
  return STAGES[name](input);
}

function issuerOf(value: unknown): string {
  const issuer = required('issuer', value);
  const url = URL.canParse(issuer) ? new URL(issuer) : undefined;
  const isLoopback = url?.protocol === 'http:' && (url.hostname === '127.0.0.1' || url.hostname === 'localhost');
  if (url?.protocol === 'https:' || isLoopback) return issuer;
  throw new SettingError(`issuer: "${issuer}" is no https URL. Give it exactly as the tokens name it.`);
}

function checkOrigin(origin: string): string {
  if (URL.canParse(origin) && new URL(origin).origin === origin) return origin;
  throw new SettingError(`origins: "${origin}" is no origin. Write https://host[:port], without a path.`);
}

function required(name: string, value: unknown): string {
  const given = text(value);
  if (given !== undefined) return given;
  throw new SettingError(
    `${name}: missing. Name your OIDC provider: -c issuer=https://… -c audience=… (what its tokens carry as iss and aud).`,
  );
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

function isStageName(name: string): name is StageName {
  return Object.hasOwn(STAGES, name);
}
