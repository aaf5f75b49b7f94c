/** A token bucket: `burst` at once, then `perSecond`. */
export class TokenBucket {
  #tokens: number;
  #atMs: number | undefined;

  constructor(
    private readonly perSecond: number,
    private readonly burst: number,
    private readonly now: () => number,
  ) {
    this.#tokens = burst;
  }

  /** Takes one token; false when there is none. A clock that jumps back costs nothing and gives nothing. */
  take(): boolean {
    if (this.perSecond === Infinity) return true;
    const nowMs = this.now();
    const gained = (Math.max(0, nowMs - (this.#atMs ?? nowMs)) * this.perSecond) / 1_000;
    this.#tokens = Math.min(this.burst, this.#tokens + gained);
    this.#atMs = nowMs;
    if (this.#tokens < 1) return false;
    this.#tokens -= 1;
    return true;
  }
}
