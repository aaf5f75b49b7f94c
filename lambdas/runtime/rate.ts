import { ProtocolError } from '@parley/protocol';
import type { Rate } from '../ports/presence/port.ts';
import { Unavailable } from '../ports/unavailable.ts';
import type { Services } from './services.ts';
import { TokenBuckets } from './token-buckets.ts';

/** Without Valkey each environment counts for itself; together they must not allow more than Valkey would. */
const LOCAL_SHARE = 4;

const localBuckets = new WeakMap<Services, TokenBuckets>();

/**
 * Takes a token from the bucket. Without the store it falls back to a lower bound of this environment, never to none.
 * @throws {ProtocolError} RATE_LIMITED with the time after which a token is there again.
 */
export async function checkRate(services: Services, bucket: string, rate: Rate): Promise<void> {
  const { allowed, retryAfterMs } = await take(services, bucket, rate);
  if (!allowed) throw new ProtocolError('RATE_LIMITED', 'Too many requests of this kind.', Math.max(1, retryAfterMs));
}

async function take(services: Services, bucket: string, rate: Rate): ReturnType<Services['presence']['take']> {
  try {
    return await services.presence.take(bucket, rate);
  } catch (error) {
    if (!(error instanceof Unavailable)) throw error;
    let buckets = localBuckets.get(services);
    if (!buckets) localBuckets.set(services, (buckets = new TokenBuckets(services.now)));
    const lower = { burst: Math.ceil(rate.burst / LOCAL_SHARE), perSecond: rate.perSecond / LOCAL_SHARE };
    return buckets.take(bucket, lower);
  }
}
