import { setTimeout as wait } from 'node:timers/promises';
import { Traffic } from '../harness/traffic.ts';
import type { Fault } from './fault.ts';

export const R11: Fault = {
  id: 'R-11',
  title: 'Records of a batch fail a few times',
  hypothesis: 'Only the failed one is tried again, and nobody behind it waits for ever; the SDK orders.',
  schedule: 'No direct path; the members cannot be read twice, then four times the batch fails as a whole.',
  asserts: 'The members could not be read twice, four processes died, and nothing is parked.',
  async run(run, lab) {
    const devices = [await run.sdk('ana'), await run.sdk('ben')];
    const conversationId = await run.group('ana', 'ben');
    const before = (await lab.stream.parked()).length;
    const end = run.history.begin('records fail');
    lab.order({
      fail: { function: 'deliver', at: 'directory.members', how: 'lost', times: 2 },
      crash: { function: 'deliver', at: 'directory.members', when: 'after', times: 4 },
    });
    let direct = 0;
    lab.seams.around = (name, event, proceed) => {
      const isDirect = name === 'deliver' && (event as { type?: string }).type === 'direct';
      if (isDirect) direct++;
      return isDirect ? Promise.resolve({ payload: '{"served":[]}', failed: false }) : proceed();
    };
    const traffic = new Traffic(devices, [conversationId], 100);
    await wait(4_000);
    await traffic.stop();
    end();
    const [failed, crashed] = [lab.carriedOut('fail'), lab.carriedOut('crash')];
    run.expect(failed === 2 && crashed === 4, `${failed} calls failed and ${crashed} processes died, of 2 and 4`);
    run.expect(direct > 0, 'nothing was sent');
    run.expect((await lab.stream.parked()).length === before, 'records were parked');
  },
};
