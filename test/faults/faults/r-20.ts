import { setTimeout as wait } from 'node:timers/promises';
import { until } from '../harness/until.ts';
import type { Fault } from './fault.ts';

export const R20: Fault = {
  id: 'R-20',
  title: '$disconnect comes late, twice, or never',
  hypothesis: 'It removes the one connection that ended, whenever it comes; the newer ones of the user get everything.',
  schedule:
    "A device loses its socket and opens another; the first one's $disconnect comes after that, twice. Another is never told of.",
  asserts: 'The newer connection gets the next messages; the connection that ended gets no second post.',
  async run(run, lab) {
    await run.sdk('ana');
    const sender = await run.raw('ana', 'sender');
    await run.sdk('ben');
    const first = await run.raw('ben', 'first');
    const conversationId = await run.group('ana', 'ben');
    await sender.send(conversationId, 'to both');
    const end = run.history.begin('$disconnect is late');
    const late: (() => Promise<unknown>)[] = [];
    lab.seams.around = (name, _event, proceed) => {
      if (name !== 'disconnect') return proceed();
      late.push(proceed);
      return Promise.resolve({ payload: 'null', failed: false });
    };
    await first.vanish();
    await until(() => late.length > 0, 'the gateway saw it go');
    const second = await run.raw('ben', 'second');
    for (const disconnect of [...late, ...late]) await disconnect();
    end();
    for (const text of ['after', 'and after that']) await sender.send(conversationId, text);
    await until(() => second.got.length >= 2, 'the newer connection has both', 5_000).catch(() => {
      run.expect(false, `the newer connection has ${second.got.length} of 2`);
    });
    await second.vanish();
    await wait(500);
    lab.seams.posts.clear();
    // Its row may stay while it might still be opening: what counts is that it costs one post a message, and is waited for never.
    await sender.send(conversationId, 'to nobody of the raw ones');
    run.expect(Math.max(0, ...lab.seams.posts.values()) <= 1, 'a connection that is gone was tried again');
  },
};
