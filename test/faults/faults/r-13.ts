import { setTimeout as wait } from 'node:timers/promises';
import { LIMITS } from '@parley/protocol';
import type { RawDevice } from '../harness/raw-device.ts';
import { until } from '../harness/until.ts';
import type { Fault } from './fault.ts';

const AT_ONCE = 10;

export const R13 = silentDeaths('R-13', 120, 1);
/** As many members as a group has beside the two who live. */
export const R13_MANY = silentDeaths('R-13-many', LIMITS.groupMembersMax - 2, 4);

function silentDeaths(id: Fault['id'], users: number, socketsOfEach: number): Fault {
  const connections = users * socketsOfEach;
  return {
    id,
    title: `${connections} connections die without a word`,
    hypothesis: 'Each costs one post, which is answered 410, and its row is gone; the living notice nothing.',
    schedule: `${connections} sockets of ${users} members of one group are cut, and no $disconnect comes; then three messages.`,
    asserts: 'At most one post to each dead connection; none at the second message.',
    async run(run, lab) {
      const living = await run.sdk('ana');
      await run.sdk('ben');
      const userIds = Array.from({ length: users }, (_, i) => `u${i}`);
      const sockets = userIds.flatMap((userId) =>
        Array.from({ length: socketsOfEach }, (_, i) => ({ userId, device: `dying${i}` })),
      );
      const dying: RawDevice[] = [];
      for (let i = 0; i < connections; i += AT_ONCE) {
        const opened = sockets.slice(i, i + AT_ONCE).map(({ userId, device }) => run.raw(userId, device));
        dying.push(...(await Promise.all(opened)));
      }
      const conversationId = await run.group('ana', 'ben', ...userIds);
      await until(() => dying.every(({ told }) => told > 0), 'everybody knows of the group');
      // A connection that is younger than the longest handshake may still be opening, and keeps its row.
      lab.order({ clockShiftsMs: [60_000] });
      const end = run.history.begin('sockets cut');
      lab.seams.around = (name, _event, proceed) =>
        name === 'disconnect' ? Promise.resolve({ payload: 'null', failed: false }) : proceed();
      await Promise.all(dying.map((device) => device.close()));
      lab.seams.posts.clear();
      const told = (): number => lab.seams.posts.size;
      await living.send(conversationId, 'to the dead and the living');
      await until(() => told() >= connections, 'every dead connection was tried');
      await until(() => living.unanswered === 0, 'it was answered');
      await wait(500);
      const most = Math.max(...lab.seams.posts.values());
      run.expect(most <= 1, `one connection got ${most} posts`);
      lab.seams.posts.clear();
      await living.send(conversationId, 'to the living');
      await living.send(conversationId, 'to the living again');
      await until(() => living.unanswered === 0, 'they were answered');
      await wait(1_000);
      run.expect(told() <= 2, `${told()} connections were still posted to`);
      end();
    },
  };
}
