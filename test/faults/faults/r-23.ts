import { execFileSync } from 'node:child_process';
import { setTimeout as wait } from 'node:timers/promises';
import type { EngineName } from '../harness/engine-faults.ts';
import { Traffic } from '../harness/traffic.ts';
import type { Fault } from './fault.ts';

const FULL_MS = 6_000;

/** Files of the engine grow no more, as on a full disk, until it is started again. */
function fullDiskOf(engine: EngineName & ('cassandra' | 'kafka')): Fault {
  return {
    id: `R-23-${engine}`,
    title: `${engine} can write nothing more to its disk`,
    hypothesis:
      'It answers no write that is not on the disk, and gives up; started again it has everything that it answered.',
    schedule: `People write; no file of ${engine} may grow (RLIMIT_FSIZE) for ${FULL_MS / 1_000} s; then it is ended and started on its data.`,
    asserts: 'Nothing beside the checkers.',
    async run(run, lab) {
      const devices = [await run.sdk('ana'), await run.sdk('ben')];
      const conversationId = await run.group('ana', 'ben');
      const traffic = new Traffic(devices, [conversationId], 120);
      await wait(1_500);
      const end = run.history.begin(`disk of ${engine} full`);
      execFileSync('prlimit', ['--pid', String(lab.engines.pidOf(engine)), '--fsize=4096']);
      await wait(FULL_MS);
      await lab.engines.kill(engine);
      await lab.engines.start(engine);
      end();
      await wait(1_000);
      await traffic.stop();
    },
  };
}

export const R23: readonly Fault[] = [fullDiskOf('cassandra'), fullDiskOf('kafka')];
