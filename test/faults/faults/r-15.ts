import { allowedPerSecond, HELD_BACK_MAX_MS } from '../harness/herd.ts';
import { cutHerdElsewhere } from '../harness/herd-process.ts';
import type { Fault } from './fault.ts';

const CLIENTS = 2_000;
/** What API Gateway accepts in an account and Region. */
const PER_SECOND_MAX = 500;
/** Sockets that were asked for, for each that was accepted: whoever is refused waits, and asks again. */
const ATTEMPTS_MAX = 1.1;
/** `session.start`, a heartbeat, and what is watched. */
const CALLS_MAX = 3;
const WITHIN_S = 60;

export const R15: Fault = {
  id: 'R-15',
  title: `A herd of ${CLIENTS} sockets is cut at once`,
  hypothesis: 'Their own jitter brings them back in turn, with few calls each, and nobody seems to have gone.',
  schedule: `All sockets of ${CLIENTS} SDK clients end at the same moment; every fourth is in a group in which something is said meanwhile. On embedded stores, in a process of its own.`,
  asserts: `At most ${PER_SECOND_MAX} sockets are accepted in any second, and those that a busy machine held back for it; few are refused; all have everything within ${WITHIN_S} s; at most ${CALLS_MAX} calls each, and one for a conversation that changed; no presence flaps.`,
  async run(run) {
    const end = run.history.begin(`${CLIENTS} sockets are cut`);
    const figures = await cutHerdElsewhere(CLIENTS, run.random.seed);
    end();
    const { tookMs, acceptedMaxPerSecond, heldBackMs, attempts, callsMax, flaps } = figures;
    const verdict = heldBackMs > HELD_BACK_MAX_MS ? 'inconclusive on so busy a machine: ' : '';
    run.figure(
      `${acceptedMaxPerSecond} sockets in the busiest second, held back for ${heldBackMs} ms at most; ${callsMax} calls; all back after ${(tookMs / 1_000).toFixed(1)} s`,
    );
    run.expect(
      acceptedMaxPerSecond <= allowedPerSecond(PER_SECOND_MAX, figures),
      `${verdict}${acceptedMaxPerSecond} sockets were accepted in one second, held back for ${heldBackMs} ms at most`,
    );
    run.expect(attempts <= ATTEMPTS_MAX * CLIENTS, `${attempts} attempts for ${CLIENTS} sockets`);
    run.expect(tookMs <= WITHIN_S * 1_000, `it took ${tookMs} ms`);
    run.expect(callsMax <= CALLS_MAX, `${callsMax} calls of one client`);
    run.expect(flaps.length === 0, `presence flapped: ${flaps.slice(0, 5).join(', ')}`);
  },
};
