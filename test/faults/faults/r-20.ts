import type { Lab } from '../harness/lab.ts';
import { until } from '../harness/until.ts';
import type { Fault } from './fault.ts';

/** A connection that is younger than the longest handshake may still be opening, and keeps its row. */
const OLD_MS = 60_000;
/** Ana's phone, Ben's phone, and the third one. */
const CONNECTED = 3;

export const R20: Fault = {
  id: 'R-20',
  title: '$disconnect comes late, twice, or never',
  hypothesis: 'It removes the one connection that ended, whenever it comes; the newer ones of the user get everything.',
  schedule:
    "A device loses its socket and opens another; the first one's $disconnect comes after that, twice. Another is never told of.",
  asserts: 'The newer connection gets the next messages; a connection that ended is posted to once at most.',
  async run(run, lab) {
    await run.sdk('ana');
    const sender = await run.raw('dan', 'sender');
    await run.sdk('ben');
    const first = await run.raw('ben', 'first');
    const conversationId = await run.group('ana', 'ben', 'dan');
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
    // The next one is never told of: the first post to it says that it is gone, and takes away its row, and no other.
    lab.order({ clockShiftsMs: [OLD_MS] });
    lab.seams.around = (name, _event, proceed) =>
      name === 'disconnect' ? Promise.resolve({ payload: 'null', failed: false }) : proceed();
    await second.vanish();
    const third = await run.raw('ben', 'third');
    lab.seams.posts.clear();
    const texts = ['one', 'two', 'three'];
    for (const text of texts) await sender.send(conversationId, text);
    await until(() => third.got.length >= texts.length, 'the newest connection has all', 5_000).catch(() => {
      run.expect(false, `the newest connection has ${third.got.length} of ${texts.length}`);
    });
    run.expect(
      posts(lab) === 1 + texts.length * CONNECTED,
      `${posts(lab)} posts for ${texts.length} messages to ${CONNECTED}`,
    );
  },
};

function posts({ seams }: Lab): number {
  return [...seams.posts.values()].reduce((sum, count) => sum + count, 0);
}
