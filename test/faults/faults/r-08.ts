import { setTimeout as wait } from 'node:timers/promises';
import type { Fault } from './fault.ts';

const ROUNDS = 5;

export const R08: Fault = {
  id: 'R-08',
  title: 'The function is killed right after it answered',
  hypothesis: 'What was answered is in the log, whatever becomes of who answered.',
  schedule: `${ROUNDS} sends; as soon as each is answered, every process of send is killed.`,
  asserts: 'Each is answered.',
  async run(run, lab) {
    await run.sdk('ana');
    await run.sdk('ben');
    const sender = await run.raw('ana', 'sender');
    const conversationId = await run.group('ana', 'ben');
    for (let i = 0; i < ROUNDS; i++) {
      const answer = await sender.send(conversationId, `answered ${i}`);
      const end = run.history.begin(`send killed after its answer ${i}`);
      for (const pid of lab.pidsOf('send')) process.kill(pid, 'SIGKILL');
      run.expect(answer.outcome === 'ok', `answered ${JSON.stringify(answer)}`);
      await wait(100);
      end();
    }
  },
};
