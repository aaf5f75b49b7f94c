import { setTimeout as wait } from 'node:timers/promises';
import { Traffic } from '../harness/traffic.ts';
import type { Fault } from './fault.ts';

const ROUNDS = 4;

export const R25: Fault = {
  id: 'R-25',
  title: 'Members come and go while people write',
  hypothesis:
    'Whoever was removed gets nothing that was numbered after that, whoever was added misses nothing from then on.',
  schedule: `Two people write, half of it through the stream alone; ${ROUNDS} times one member is removed and another added, and the function dies at a step of it.`,
  asserts: 'Every change is answered in the end.',
  async run(run, lab) {
    const devices = [await run.sdk('ana'), await run.sdk('ben')];
    const owner = await run.raw('ana', 'owner');
    const goers = Array.from({ length: ROUNDS }, (_, i) => `goes${i}`);
    for (const userId of goers) {
      await run.sdk(userId);
      await run.raw(userId, 'wire');
      await run.sdk(userId.replace('goes', 'comes'));
    }
    const conversationId = await run.group('ana', 'ben', ...goers);
    const traffic = new Traffic(devices, [conversationId], 60);
    const end = run.history.begin('members come and go');
    for (const [i, userId] of goers.entries()) {
      const at = i % 2 === 0 ? 'log.insertIfAbsent' : 'stream.publish';
      lab.order({
        fail: { function: 'send', at: 'direct.deliver', how: 'lost', times: 10 },
        crash: { function: 'conversation', at, when: i < 2 ? 'during' : 'after' },
      });
      await wait(300);
      await run.remove(owner, conversationId, userId);
      await wait(run.random.between(0, 200));
      await run.add(owner, conversationId, userId.replace('goes', 'comes'));
    }
    await wait(1_000);
    await traffic.stop();
    lab.order({});
    end();
  },
};
