import { STEPS } from '../bundle/orders.ts';
import { until } from '../harness/until.ts';
import type { Fault } from './fault.ts';

export const R07: Fault = {
  id: 'R-07',
  title: 'The function times out after persist and before publish, and the sender never comes back',
  hypothesis: 'The entry can be read at once, and is delivered within 60 s without anybody sending again.',
  schedule:
    'Two sends side by side, each in a conversation of its own: SIGSTOP after persist until the service kills the process at its time-out; SIGKILL after persist. A device of the SDK and a socket that only listens are there.',
  asserts: 'Neither send is answered; both can be read before they are delivered; the socket is pushed both by repair.',
  async run(run, lab) {
    await run.sdk('ben');
    const wire = await run.raw('ben', 'wire');
    const sender = await run.raw('ana', 'sender');
    const rooms = [
      { signal: 'SIGSTOP', conversationId: await run.group('ana', 'ben') },
      { signal: 'SIGKILL', conversationId: await run.group('ana', 'ben') },
    ] as const;
    const end = run.history.begin('stuck after persist');
    const sent = [];
    for (const { signal, conversationId } of rooms) {
      lab.order({ crash: { function: 'send', at: STEPS.persist, when: 'after', signal } });
      sent.push(sender.send(conversationId, `stuck by ${signal}`));
      await until(() => lab.carriedOut('crash') === 1, `a process got ${signal}`);
      // Where nothing is missing this reads, and has nothing repaired.
      const read = await sender.ask('log.sync', { conversationId, after: { seq: 0, id: '0' } });
      const isThere =
        read.outcome === 'ok' &&
        read.body.entries.some((entry) => entry.kind === 'message' && entry.content.text === `stuck by ${signal}`);
      run.expect(isThere, `the entry stuck by ${signal} cannot be read`);
    }
    end();
    const answers = await Promise.all(sent);
    run.expect(
      answers.every(({ outcome }) => outcome === 'info'),
      `the stuck sends were answered ${JSON.stringify(answers)}`,
    );
    const early = wire.got.filter(({ kind }) => kind === 'message').length;
    run.expect(early < rooms.length, 'the wire had both before anything was repaired');
    await sender.close();
  },
};
