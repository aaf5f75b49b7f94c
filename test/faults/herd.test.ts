import { randomFrom } from '../lambdas/support/shuffle.ts';
import { cutHerd } from './harness/herd.ts';

const CLIENTS = 200;
/** `session.start`, a heartbeat, and what is watched. */
const CALLS_MAX = 3;
/** A tenth of what is allowed for ten times as many, and what chance adds to so few. */
const PER_SECOND = 60;

jest.setTimeout(60_000);

describe('R-15: a herd that is cut at once', () => {
  it('comes back in turn by its own jitter, in few calls each, and nobody seems to have gone', async () => {
    const figures = await cutHerd(CLIENTS, randomFrom(1));
    expect(figures).toMatchObject({ attempts: CLIENTS, changed: CLIENTS / 4, flaps: [] });
    // A busy machine moves attempts together.
    expect(figures.acceptedMaxPerSecond).toBeLessThanOrEqual(PER_SECOND * (1 + figures.heldBackMs / 1_000));
    expect(figures.callsMax).toBeLessThanOrEqual(CALLS_MAX);
  });

  it('would be seen to come all at once without it', async () => {
    const { acceptedMaxPerSecond, heldBackMs } = await cutHerd(CLIENTS, randomFrom(1), { reconnectSpreadMs: 250 });
    expect(acceptedMaxPerSecond).toBeGreaterThan(PER_SECOND * (1 + heldBackMs / 1_000));
  });
});
