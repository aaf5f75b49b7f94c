import { setTimeout as wait } from 'node:timers/promises';
import { STEPS } from '../bundle/orders.ts';
import type { Fault } from './fault.ts';

export const R07: Fault = {
  id: 'R-07',
  title: 'The function times out after persist and before publish, and the sender never comes back',
  hypothesis: 'The entry can be read at once, and is delivered within 60 s without anybody sending again.',
  schedule:
    'Two sends: SIGSTOP after persist until the service kills the process at its time-out; SIGKILL after persist.',
  asserts: 'Neither send is answered; both can be read by a sync before they are delivered.',
  async run(run, lab) {
    await run.sdk('ben');
    const sender = await run.raw('ana', 'sender');
    const conversationId = await run.group('ana', 'ben');
    const end = run.history.begin('stuck after persist');
    for (const signal of ['SIGSTOP', 'SIGKILL'] as const) {
      lab.order({ crash: { function: 'send', at: STEPS.persist, when: 'after', signal } });
      const sent = sender.send(conversationId, `stuck by ${signal}`);
      const answer = await sent;
      run.expect(answer.outcome === 'info', `the send stuck by ${signal} was answered ${JSON.stringify(answer)}`);
      await wait(100);
      const read = await sender.ask('log.sync', { conversationId, after: { seq: 0, id: '0' } });
      const isThere =
        read.outcome === 'ok' &&
        read.body.entries.some((entry) => entry.kind === 'message' && entry.content.text === `stuck by ${signal}`);
      run.expect(isThere, `the entry stuck by ${signal} cannot be read`);
    }
    end();
    await sender.close();
  },
};
