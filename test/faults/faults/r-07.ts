import { STEPS } from '../bundle/orders.ts';
import { operationsOf } from '../history/questions.ts';
import { until } from '../harness/until.ts';
import type { Fault } from './fault.ts';

/** However long it is waited for otherwise. */
const WITHIN_MS = 60_000;

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
    const storedAtMs: number[] = [];
    const end = run.history.begin('stuck after persist');
    const sent = [];
    for (const { signal, conversationId } of rooms) {
      lab.order({ crash: { function: 'send', at: STEPS.persist, when: 'after', signal } });
      sent.push(sender.send(conversationId, `stuck by ${signal}`));
      await until(() => lab.carriedOut('crash') === 1, `a process got ${signal}`);
      storedAtMs.push(Date.now());
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
    await sender.close();
    const got = (): number[] =>
      operationsOf(run.history.operations, 'receive', 'ok')
        .filter(({ process, value }) => process === wire.process && value.kind === 'message')
        .map(({ atMs }) => atMs);
    await until(() => got().length >= rooms.length, 'repair delivers both', run.settleMs).catch(() => undefined);
    const tookMs = got().map((atMs) => atMs - Math.min(...storedAtMs));
    run.figure(`delivered by repair after ${tookMs.map((ms) => (ms / 1_000).toFixed(1)).join(' and ')} s`);
    run.expect(
      tookMs.length >= rooms.length && Math.max(...tookMs) <= WITHIN_MS,
      `delivered after ${tookMs.join(', ')} ms`,
    );
  },
};
