import { setTimeout as wait } from 'node:timers/promises';
import type { Fault } from './fault.ts';

const MESSAGES = 8;
const REPEATS_MAX = 5;

export const R02: Fault = {
  id: 'R-02',
  title: 'The answer is lost, and the send is repeated by two connections at once',
  hypothesis:
    'The key of the client has one entry, however often and from wherever it is sent; every repeat is answered its numbers.',
  schedule: 'Eight sends whose answers never arrive; then 1 to 5 repeats at once on each of two other connections.',
  asserts: 'Every repeat is answered the same id and seq; the same key with another text is answered CONFLICT.',
  async run(run) {
    await run.sdk('ana');
    await run.sdk('ben');
    const conversationId = await run.group('ana', 'ben');
    const one = await run.raw('ana', 'one');
    const two = await run.raw('ana', 'two');
    for (let i = 0; i < MESSAGES; i++) {
      const [key, text] = [crypto.randomUUID(), `lost answer ${i}`];
      const deaf = await run.raw('ana', `deaf-${i}`);
      const end = run.history.begin(`answer ${i} is lost`);
      deaf.network.set('toClient', { hold: true });
      const sent = deaf.send(conversationId, text, key, 1_000);
      // The repeats overtake the first, or come after it.
      await wait(run.random.between(0, 60));
      const times = run.random.between(1, REPEATS_MAX);
      const repeats = [one, two].flatMap((device) =>
        Array.from({ length: times }, () => device.send(conversationId, text, key)),
      );
      const answers = await Promise.all(repeats);
      const numbers = new Set(
        answers.map((answer) => JSON.stringify(answer.outcome === 'ok' ? [answer.body.id, answer.body.seq] : answer)),
      );
      run.expect(numbers.size === 1, `repeats of one key were answered ${[...numbers].join(' and ')}`);
      run.expect((await sent).outcome === 'info', 'the lost answer came');
      deaf.network.cut();
      end();
      const other = await two.ask('message.send', {
        conversationId,
        clientMessageId: key,
        content: { type: 'text', text: 'other' },
      });
      run.expect(
        other.outcome === 'fail' && other.code === 'CONFLICT',
        `another text with the same key: ${JSON.stringify(other)}`,
      );
    }
  },
};
