import { setTimeout as wait } from 'node:timers/promises';
import { Traffic } from '../harness/traffic.ts';
import type { Fault } from './fault.ts';

export const R05: Fault = {
  id: 'R-05',
  title: 'The Kafka broker is killed',
  hypothesis: 'Sends are answered all the same, and what the stream did not take is published when the broker is back.',
  schedule:
    'Three people write, half of the time without the direct path; SIGKILL; started again on the same data after 4 s.',
  asserts: 'Sends were answered while it was down.',
  async run(run, lab) {
    const devices = [await run.sdk('ana'), await run.sdk('ben'), await run.sdk('cleo')];
    const conversationId = await run.group('ana', 'ben', 'cleo');
    lab.order({ fail: { function: 'send', at: 'direct.deliver', how: 'lost', times: 30 } });
    const traffic = new Traffic(devices, [conversationId], 150);
    await wait(run.random.between(500, 1_500));
    const end = run.history.begin('Kafka killed');
    await lab.engines.kill('kafka');
    const before = answered();
    await wait(4_000);
    run.expect(answered() > before, 'nothing was answered while Kafka was down');
    await lab.engines.start('kafka');
    end();
    await wait(2_000);
    await traffic.stop();
    function answered(): number {
      return run.history.operations.filter(({ f, type }) => f === 'send' && type === 'ok').length;
    }
  },
};
