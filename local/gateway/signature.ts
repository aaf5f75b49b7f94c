import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { SignatureV4 } from '@smithy/signature-v4';
import { Sha256 } from '../sha256.ts';
import type { Credentials } from './options.ts';
import { MANAGEMENT_REFUSALS, type Refusal } from './settings.ts';

const CONTENT_HASH = 'x-amz-content-sha256';

/** The parts of an `Authorization` header. */
interface Claim {
  readonly accessKeyId: string;
  readonly scopeDate: string;
  readonly scope: string;
  readonly signedHeaders: readonly string[];
  readonly signature: string;
}

const AUTHORIZATION =
  /^AWS4-HMAC-SHA256 +Credential=([^/,\s]+)\/((\d{8})\/[^,\s]+), *SignedHeaders=([^,\s]+), *Signature=([0-9a-f]{64})$/;
const AMZ_DATE = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/;

/** Checks signatures of version 4, header form. */
export class SignatureCheck {
  constructor(
    private readonly region: string,
    private readonly credentials: (accessKeyId: string) => Credentials | undefined,
    private readonly skewMaxMs: number,
    private readonly now: () => number,
    private readonly service = 'execute-api',
  ) {}

  /** The credentials that have signed this very request and body, or the refusal. */
  async verify(request: IncomingMessage, body: Buffer): Promise<Credentials | Refusal> {
    const { authorization } = request.headers;
    if (authorization === undefined) return MANAGEMENT_REFUSALS.unsigned;
    const claim = readClaim(authorization);
    const date = headerText(request.headers, 'x-amz-date');
    const dateMs = readDate(date);
    if (!claim || !claim.signedHeaders.includes('host') || dateMs === undefined) {
      return MANAGEMENT_REFUSALS.incompleteSignature;
    }
    const credentials = this.credentials(claim.accessKeyId);
    if (!credentials) return MANAGEMENT_REFUSALS.unknownKey;
    if (claim.scope !== `${date.slice(0, 8)}/${this.region}/${this.service}/aws4_request`)
      return MANAGEMENT_REFUSALS.wrongScope;
    if (Math.abs(this.now() - dateMs) > this.skewMaxMs) return MANAGEMENT_REFUSALS.expired;
    const expected = await this.#sign(request, body, claim, credentials.secretAccessKey, dateMs);
    return expected !== undefined && timingSafeEqual(Buffer.from(expected), Buffer.from(claim.signature))
      ? credentials
      : MANAGEMENT_REFUSALS.badSignature;
  }

  /** The signature that the holder of the secret would have made; undefined when the request is at odds with itself. */
  async #sign(
    request: IncomingMessage,
    body: Buffer,
    claim: Claim,
    secretAccessKey: string,
    dateMs: number,
  ): Promise<string | undefined> {
    const headers: Record<string, string> = {};
    for (const name of claim.signedHeaders) {
      if (!Object.hasOwn(request.headers, name)) return undefined;
      headers[name] = headerText(request.headers, name);
    }
    // The signer takes a hash that stands in the headers on trust.
    if (
      headers[CONTENT_HASH] !== undefined &&
      headers[CONTENT_HASH] !== createHash('sha256').update(body).digest('hex')
    ) {
      return undefined;
    }
    const [path = '', search = ''] = (request.url ?? '').split('?', 2);
    const signer = new SignatureV4({
      service: this.service,
      region: this.region,
      credentials: { accessKeyId: claim.accessKeyId, secretAccessKey },
      sha256: Sha256,
      applyChecksum: false,
    });
    const signed = await signer.sign(
      { method: request.method ?? '', protocol: 'https:', hostname: '', path, query: readQuery(search), headers, body },
      { signingDate: new Date(dateMs), signableHeaders: new Set(claim.signedHeaders) },
    );
    return signed.headers['authorization']?.slice(-claim.signature.length);
  }
}

function readClaim(authorization: string): Claim | undefined {
  const match = AUTHORIZATION.exec(authorization);
  if (!match) return undefined;
  const [, accessKeyId = '', scope = '', scopeDate = '', signedHeaders = '', signature = ''] = match;
  return { accessKeyId, scope, scopeDate, signedHeaders: signedHeaders.split(';'), signature };
}

function readDate(text: string): number | undefined {
  if (!AMZ_DATE.test(text)) return undefined;
  const ms = Date.parse(text.replace(AMZ_DATE, '$1-$2-$3T$4:$5:$6Z'));
  return Number.isNaN(ms) ? undefined : ms;
}

function headerText(headers: IncomingHttpHeaders, name: string): string {
  const value = headers[name];
  return Array.isArray(value) ? value.join(',') : (value ?? '');
}

function readQuery(search: string): Record<string, string[]> {
  const parameters = new URLSearchParams(search);
  return Object.fromEntries([...parameters.keys()].map((name) => [name, parameters.getAll(name)]));
}
