import { setTimeout as wait } from 'node:timers/promises';
import { Traffic } from '../harness/traffic.ts';
import type { Fault } from './fault.ts';

export const R19: Fault = {
  id: 'R-19',
  title: 'DynamoDB throttles, and its answers are lost',
  hypothesis: 'Calls are tried again; what was done is recognized; no number, key or connection is used twice.',
  schedule:
    'People write and connect for 6 s while one call in five is refused as throttled, and the answer of one in ten is lost.',
  asserts: 'Calls were refused.',
  async run(run, lab) {
    const devices = [await run.sdk('ana'), await run.sdk('ben'), await run.sdk('cleo')];
    const conversationId = await run.group('ana', 'ben', 'cleo');
    const traffic = new Traffic(devices, [conversationId], 120);
    const end = run.history.begin('DynamoDB throttles');
    let refused = 0;
    lab.dynamo.decide = () => {
      const chance = run.random.next();
      if (chance < 0.2) refused++;
      return chance < 0.2 ? 'throttled' : chance < 0.3 ? 'unanswered' : 'served';
    };
    await wait(3_000);
    // A device that is thrown out comes back in the middle of it.
    devices[1]?.network.cut();
    await wait(3_000);
    lab.dynamo.decide = undefined;
    end();
    await wait(500);
    await traffic.stop();
    run.expect(refused > 10, `only ${refused} calls were refused`);
  },
};
