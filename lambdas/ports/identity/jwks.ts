import { Unavailable } from '../unavailable.ts';
import type { Identity, KeySet } from './port.ts';

export interface JwksIdentityOptions {
  /** An https URL exactly as the tokens name it; http only on this machine. */
  readonly issuer: string;
  readonly audience: string;
  /** For each document. Default 3 s. */
  readonly timeoutMs?: number;
  /** Ms since the Unix epoch. */
  readonly now?: () => number;
}

/** The issuer is asked at most this often, so that tokens with invented key ids cannot make Parley flood it. */
const REFRESH_INTERVAL_MS = 5_000;
const RETRY_INTERVAL_MS = 1_000;
const DOCUMENT_MAX_BYTES = 256 * 1024;

/** The keys of an OIDC issuer, found by its discovery document, or in `/.well-known/jwks.json` where it has none. */
export class JwksIdentity implements Identity {
  readonly issuer: string;
  readonly audience: string;
  private readonly timeoutMs: number;
  private readonly now: () => number;
  private asked: { untilMs: number; readonly answer: Promise<KeySet> } | undefined;

  /** @throws {Error} when the issuer is no https URL. */
  constructor({ issuer, audience, timeoutMs = 3_000, now = Date.now }: JwksIdentityOptions) {
    if (!isTrusted(issuer)) throw new Error(`The issuer "${issuer}" is no https URL.`);
    this.issuer = issuer;
    this.audience = audience;
    this.timeoutMs = timeoutMs;
    this.now = now;
  }

  /** Answers of the last `REFRESH_INTERVAL_MS`, and failures of the last `RETRY_INTERVAL_MS`, are given again. */
  keySet(): Promise<KeySet> {
    const nowMs = this.now();
    if (this.asked && nowMs < this.asked.untilMs) return this.asked.answer;
    const asked = { untilMs: nowMs + REFRESH_INTERVAL_MS, answer: this.fetchKeySet() };
    asked.answer.catch(() => (asked.untilMs = nowMs + RETRY_INTERVAL_MS));
    this.asked = asked;
    return asked.answer;
  }

  private async fetchKeySet(): Promise<KeySet> {
    const base = this.issuer.replace(/\/$/, '');
    const discovered = await fetchJson(`${base}/.well-known/openid-configuration`, this.timeoutMs);
    const document = discovered as { issuer?: unknown; jwks_uri?: unknown } | undefined;
    if (document && document.issuer !== this.issuer)
      throw new Unavailable('issuer: its discovery document names another');
    const url = document ? document.jwks_uri : `${base}/.well-known/jwks.json`;
    if (typeof url !== 'string' || !isTrusted(url)) throw new Unavailable('issuer: names no https URL for its keys');
    return keySetIn(await fetchJson(url, this.timeoutMs));
  }
}

/** http is for an issuer on this machine alone. */
function isTrusted(url: string): boolean {
  if (!URL.canParse(url)) return false;
  const { protocol, hostname } = new URL(url);
  return protocol === 'https:' || (protocol === 'http:' && (hostname === '127.0.0.1' || hostname === 'localhost'));
}

/** Keys without an id can be asked for by no token. */
function keySetIn(document: unknown): KeySet {
  const { keys } = (document ?? {}) as { keys?: unknown };
  if (!Array.isArray(keys)) throw new Unavailable('issuer: no key set');
  const isKey = (key: unknown): key is KeySet['keys'][number] => {
    const { kid, kty } = (key ?? {}) as { kid?: unknown; kty?: unknown };
    return typeof kid === 'string' && typeof kty === 'string';
  };
  return { keys: keys.filter(isKey) };
}

/** Undefined when there is no such document: many a site answers with a page instead. @throws {Unavailable} */
async function fetchJson(url: string, timeoutMs: number): Promise<unknown> {
  try {
    const response = await fetch(url, { redirect: 'error', signal: AbortSignal.timeout(timeoutMs) });
    const isJson = /\bjson\b/.test(response.headers.get('content-type') ?? '');
    if (response.status === 404 || (response.ok && !isJson)) {
      await response.body?.cancel();
      return undefined;
    }
    if (!response.ok) throw new Error(`answered ${response.status}`);
    return JSON.parse(await boundedText(response)) as unknown;
  } catch (error) {
    throw new Unavailable(`issuer: ${url}: ${error instanceof Error ? error.message : String(error)}`);
  }
}

async function boundedText({ body }: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  // Typed as an iterable only from Node's own types on.
  for await (const chunk of (body ?? []) as AsyncIterable<Uint8Array>) {
    bytes += chunk.length;
    if (bytes > DOCUMENT_MAX_BYTES) throw new Error('answered too much');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}
