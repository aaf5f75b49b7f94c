import type { Rate } from '../ports/presence/port.ts';

interface Bucket {
  /** Thousandths of a token: a rate per second makes so many per ms, and sums of them stay exact. */
  credit: number;
  atMs: number;
}

const TOKEN = 1_000;

/** Buckets beyond this many are swept of the full ones, which say nothing. */
const BUCKETS_SWEPT_ABOVE = 10_000;

/** Token buckets in this process. */
export class TokenBuckets {
  private readonly buckets = new Map<string, Bucket>();
  private sweepAbove = BUCKETS_SWEPT_ABOVE;

  constructor(private readonly now: () => number) {}

  take(name: string, rate: Rate): { allowed: boolean; retryAfterMs: number } {
    const nowMs = this.now();
    const full = rate.burst * TOKEN;
    const bucket = this.buckets.get(name) ?? { credit: full, atMs: nowMs };
    bucket.credit = Math.min(full, bucket.credit + Math.max(0, nowMs - bucket.atMs) * rate.perSecond);
    bucket.atMs = nowMs;
    this.buckets.set(name, bucket);
    if (this.buckets.size > this.sweepAbove) this.sweep(nowMs);
    if (bucket.credit >= TOKEN) {
      bucket.credit -= TOKEN;
      return { allowed: true, retryAfterMs: 0 };
    }
    return { allowed: false, retryAfterMs: Math.ceil((TOKEN - bucket.credit) / rate.perSecond) };
  }

  /** Forgets buckets that nobody has touched for a minute: by then every one of them is (nearly) full again. */
  private sweep(nowMs: number): void {
    for (const [name, bucket] of this.buckets) if (nowMs - bucket.atMs > 60_000) this.buckets.delete(name);
    this.sweepAbove = Math.max(BUCKETS_SWEPT_ABOVE, this.buckets.size * 2);
  }
}
