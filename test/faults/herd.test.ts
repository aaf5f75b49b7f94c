import { randomFrom } from '../lambdas/support/shuffle.ts';
import { allowedPerSecond, cutHerd, HELD_BACK_MAX_MS } from './harness/herd.ts';

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
    expect(figures.callsMax).toBeLessThanOrEqual(CALLS_MAX);
    const isConclusive = figures.heldBackMs <= HELD_BACK_MAX_MS;
    if (!isConclusive)
      process.stderr.write(`\nNOT TESTED: the rate, since a client was held back ${figures.heldBackMs} ms\n`);
    expect(isConclusive ? figures.acceptedMaxPerSecond : 0).toBeLessThanOrEqual(allowedPerSecond(PER_SECOND, figures));
  });

  it('would be seen to come all at once without it', async () => {
    const figures = await cutHerd(CLIENTS, randomFrom(1), { reconnectSpreadMs: 250 });
    expect(figures.acceptedMaxPerSecond).toBeGreaterThan(allowedPerSecond(PER_SECOND, figures));
  });
});
