import type { Signing } from './credentials.ts';
import { Signer } from './signer.ts';

/** The most that both services accept. */
export const TOKEN_TTL_SECONDS = 900;

/** A password for a user of a serverless cache that authenticates by IAM: valid for 15 minutes, a connection made with it for 12 hours. */
export async function cacheToken(cache: string, user: string, signing: Signing, at?: Date): Promise<string> {
  const signer = new Signer({ service: 'elasticache', ...signing });
  const query = { Action: 'connect', User: user, ResourceType: 'ServerlessCache' };
  return `${cache}/?${await signer.presign(cache, query, TOKEN_TTL_SECONDS, at)}`;
}

/** An OAUTHBEARER token for brokers of Amazon MSK: valid for 15 minutes. */
export async function kafkaToken(signing: Signing, at?: Date): Promise<string> {
  const host = `kafka.${signing.region}.amazonaws.com`;
  const signer = new Signer({ service: 'kafka-cluster', ...signing });
  const query = await signer.presign(host, { Action: 'kafka-cluster:Connect' }, TOKEN_TTL_SECONDS, at);
  // The agent is no part of what is signed; brokers refuse tokens without it.
  return Buffer.from(`https://${host}/?${query}&User-Agent=parley`).toString('base64url');
}
