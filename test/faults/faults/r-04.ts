import { setTimeout as wait } from 'node:timers/promises';
import { Traffic } from '../harness/traffic.ts';
import type { Fault } from './fault.ts';

const FROZEN_MS = 15_000;

export const R04: Fault = {
  id: 'R-04',
  title: 'Cassandra is frozen',
  hypothesis: 'What times out is unknown to its sender; the same insert again does not double it; the pool recovers.',
  schedule: `Three people write; SIGSTOP for ${FROZEN_MS / 1_000} s, then SIGCONT.`,
  asserts: 'Nothing is answered and nothing is delivered while it is frozen.',
  async run(run, lab) {
    const devices = [await run.sdk('ana'), await run.sdk('ben'), await run.sdk('cleo')];
    const conversationId = await run.group('ana', 'ben', 'cleo');
    const traffic = new Traffic(devices, [conversationId], 150);
    await wait(run.random.between(500, 1_500));
    const end = run.history.begin('Cassandra frozen');
    lab.engines.freeze('cassandra');
    const frozenAtMs = Date.now();
    await wait(FROZEN_MS);
    const thawedAtMs = Date.now();
    lab.engines.thaw('cassandra');
    end();
    await wait(2_000);
    await traffic.stop();
    // What it had done before may still be on its way.
    const meanwhile = run.history.operations.filter(
      ({ f, type, atMs }) =>
        (f === 'show' || f === 'send') && type === 'ok' && atMs > frozenAtMs + 500 && atMs < thawedAtMs,
    );
    run.expect(meanwhile.length === 0, `${meanwhile.length} answers and deliveries while Cassandra was frozen`);
  },
};
