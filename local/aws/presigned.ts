import { timingSafeEqual } from 'node:crypto';
import { SignatureV4 } from '@smithy/signature-v4';
import { Sha256 } from '../sha256.ts';
import type { FunctionKey, Keyring } from './keyring.ts';

const DATE = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/;

/** Checks presigned URLs, which some services take for passwords. */
export class PresignedCheck {
  constructor(
    private readonly keyring: Keyring,
    private readonly region: string,
    private readonly now: () => number = Date.now,
  ) {}

  /** Whose it is, or why it is refused. `unsigned` names parameters that were added later. */
  async verify(
    url: URL,
    service: string,
    unsigned: readonly string[] = [],
  ): Promise<{ key: FunctionKey; query: Readonly<Record<string, string>> } | { refusal: string }> {
    const all = Object.fromEntries([...url.searchParams].filter(([name]) => !unsigned.includes(name)));
    const query = Object.fromEntries(Object.entries(all).filter(([name]) => !name.startsWith('X-Amz-')));
    const [accessKeyId = '', ...scope] = (all['X-Amz-Credential'] ?? '').split('/');
    const date = all['X-Amz-Date'] ?? '';
    const expiresIn = Number(all['X-Amz-Expires']);
    const dateMs = DATE.test(date) ? Date.parse(date.replace(DATE, '$1-$2-$3T$4:$5:$6Z')) : NaN;
    const key = this.keyring.find(accessKeyId);
    if (!key) return { refusal: `the key ${accessKeyId || '(none)'} is not known` };
    if (scope.join('/') !== `${date.slice(0, 8)}/${this.region}/${service}/aws4_request`)
      return { refusal: 'wrong scope' };
    if (!(this.now() < dateMs + expiresIn * 1_000)) return { refusal: 'expired' };
    const signer = new SignatureV4({ service, region: this.region, credentials: key, sha256: Sha256 });
    const signed = await signer.presign(
      { method: 'GET', protocol: 'https:', hostname: url.hostname, path: '/', query, headers: { host: url.hostname } },
      { expiresIn, signingDate: new Date(dateMs) },
    );
    const expected = Buffer.from(String(signed.query?.['X-Amz-Signature']));
    const given = Buffer.from(all['X-Amz-Signature'] ?? '');
    if (expected.length !== given.length || !timingSafeEqual(expected, given)) return { refusal: 'wrong signature' };
    return { key, query };
  }
}
