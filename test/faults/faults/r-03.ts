import { setTimeout as wait } from 'node:timers/promises';
import { Traffic } from '../harness/traffic.ts';
import type { Fault } from './fault.ts';

export const R03: Fault = {
  id: 'R-03',
  title: 'Cassandra is killed in mid send',
  hypothesis:
    'What was answered is on the disk; what was not is answered UNAVAILABLE, and goes out when Cassandra is back.',
  schedule:
    'Three people write; SIGKILL after 1 to 2 s; started again on the same data after 3 s; 2 s more of writing.',
  asserts: 'Sends were answered before and after, and none while Cassandra was down.',
  async run(run, lab) {
    const devices = [await run.sdk('ana'), await run.sdk('ben'), await run.sdk('cleo')];
    const conversationId = await run.group('ana', 'ben', 'cleo');
    const traffic = new Traffic(devices, [conversationId], 100);
    await wait(run.random.between(1_000, 2_000));
    const end = run.history.begin('Cassandra killed');
    await lab.engines.kill('cassandra');
    const downFromMs = Date.now();
    await wait(3_000);
    const downToMs = Date.now();
    await lab.engines.start('cassandra');
    end();
    await wait(2_000);
    await traffic.stop();
    const answered = run.history.operations.filter(({ f, type }) => f === 'send' && type === 'ok');
    // What was answered at that very moment may still be on its way to the device.
    const whileDown = answered.filter(({ atMs }) => atMs > downFromMs + 200 && atMs < downToMs);
    run.expect(whileDown.length === 0, `${whileDown.length} sends were answered while Cassandra was down`);
    run.expect(
      answered.some(({ atMs }) => atMs < downFromMs),
      'nothing was answered before',
    );
  },
};
