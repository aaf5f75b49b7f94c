import { LIMITS, ProtocolError, type ActionName } from '@parley/protocol';
import { Unavailable } from '../ports/unavailable.ts';

/**
 * What is refused under overload, the first first. What is not named here is never refused for it: messages, the log, and the
 * heartbeat, which tells clients of messages that they missed.
 */
const SHED_ORDER: readonly (readonly ActionName[])[] = [
  ['typing.set'],
  ['presence.watch', 'presence.unwatch'],
  ['receipt.set', 'receipts.get'],
];

/** How much trouble sheds the first step; each further one takes twice as much. One slow request, as the first one may be, sheds nothing. */
const FIRST_STEP = 2;
const HALF_LIFE_MS = 5_000;

/**
 * Senses overload by what the requests of this environment meet: those that were slow, or to which a store did not answer. In Lambda an
 * environment serves one request at a time, so that its durations are those of the stores. Forgets half of it every 5 s.
 */
export class Overload {
  private trouble = 0;
  private atMs: number;

  constructor(private readonly now: () => number) {
    this.atMs = now();
  }

  /** @param error what the request ended with, if it failed */
  note(durationMs: number, error?: unknown): void {
    if (durationMs < LIMITS.slowRequestMs && !(error instanceof Unavailable)) return;
    this.trouble = this.current() + 1;
    this.atMs = this.now();
  }

  /** @throws {ProtocolError} UNAVAILABLE when this action is to make room for others; it had no effect. */
  refuseIfShed(action: ActionName): void {
    const step = SHED_ORDER.findIndex((actions) => actions.includes(action));
    if (step === -1 || this.current() < FIRST_STEP * 2 ** step) return;
    throw new ProtocolError('UNAVAILABLE', 'Refused to make room for messages.', LIMITS.shedRetryAfterMs);
  }

  private current(): number {
    return this.trouble * 0.5 ** (Math.max(0, this.now() - this.atMs) / HALF_LIFE_MS);
  }
}
