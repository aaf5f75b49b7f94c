/** Doubling more often than this would only overflow. */
const DOUBLINGS_MAX = 30;

/**
 * How long to wait after `failures` failures in a row (0 for the first wait): random from 0 to min(`maxMs`, `minMs` · 2^failures).
 * Full jitter spreads the clients that lost their sockets together over the whole span.
 */
export function fullJitter(failures: number, minMs: number, maxMs: number, random: () => number): number {
  return random() * Math.min(maxMs, minMs * 2 ** Math.min(failures, DOUBLINGS_MAX));
}
