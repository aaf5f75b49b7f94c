import { HttpRequest } from '@smithy/protocol-http';
import { SignatureV4 } from '@smithy/signature-v4';
import { Sha256 } from '../sha256.ts';
import type { Signing } from './credentials.ts';

/** The most that both services accept. */
export const TOKEN_TTL_SECONDS = 900;

/** A password for a user of a serverless cache that authenticates by IAM: valid for 15 minutes, a connection made with it for 12 hours. */
export async function cacheToken(cache: string, user: string, signing: Signing, at = new Date()): Promise<string> {
  const url = await presign(
    'elasticache',
    cache,
    { Action: 'connect', User: user, ResourceType: 'ServerlessCache' },
    signing,
    at,
  );
  return url.slice('https://'.length);
}

/** An OAUTHBEARER token for brokers of Amazon MSK: valid for 15 minutes. */
export async function kafkaToken(signing: Signing, at = new Date()): Promise<string> {
  const host = `kafka.${signing.region}.amazonaws.com`;
  const url = await presign('kafka-cluster', host, { Action: 'kafka-cluster:Connect' }, signing, at);
  // Not part of what is signed; brokers refuse tokens without it.
  return Buffer.from(`${url}&User-Agent=parley`).toString('base64url');
}

async function presign(
  service: string,
  hostname: string,
  query: Record<string, string>,
  { region, credentials }: Signing,
  signingDate: Date,
): Promise<string> {
  const signer = new SignatureV4({ service, region, credentials, sha256: Sha256 });
  const request = new HttpRequest({
    method: 'GET',
    protocol: 'https:',
    hostname,
    path: '/',
    query,
    headers: { host: hostname },
  });
  const signed = await signer.presign(request, { expiresIn: TOKEN_TTL_SECONDS, signingDate });
  const parameters = Object.entries(signed.query ?? {}).map(
    ([name, value]) => `${name}=${encodeURIComponent(String(value))}`,
  );
  return `https://${hostname}/?${parameters.join('&')}`;
}
