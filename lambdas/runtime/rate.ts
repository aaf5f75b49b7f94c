import { ACTIONS, LIMITS, ProtocolError, type ActionRow } from '@parley/protocol';
import type { Rate } from '../ports/presence/port.ts';
import { Unavailable } from '../ports/unavailable.ts';
import type { ConversationKey } from './keys.ts';
import type { Services } from './services.ts';
import { TokenBuckets } from './token-buckets.ts';

/** Without Valkey each environment counts for itself, and allows this part: so many of them together allow no more than Valkey would. */
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

/**
 * Takes the place of one entry in a conversation. Called once the caller is known to be a member, or strangers could use a conversation up.
 * @throws {ProtocolError} RATE_LIMITED
 */
export async function checkConversationRate(
  services: Services,
  conversation: ConversationKey,
  memberCount: number,
): Promise<void> {
  if (memberCount * ENTRIES_PER_MEMBER <= LIMITS.conversationEntriesPerSecond) return;
  const { conversationEntriesPerSecond: perSecond } = LIMITS;
  await checkRate(services, `${conversation}:entries`, { burst: perSecond, perSecond });
}

/** What the rates of its own let one member append at once. So few that they cannot exceed the rate of a conversation cost no call. */
const ENTRIES_PER_MEMBER = Object.values<ActionRow>(ACTIONS)
  .filter((row) => row.function === 'send')
  .reduce((sum, { rate }) => sum + rate.burst, 0);

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
