import { setTimeout as wait } from 'node:timers/promises';
import type { Run } from '../harness/run.ts';
import { Traffic } from '../harness/traffic.ts';
import { until } from '../harness/until.ts';
import type { Fault } from './fault.ts';

/** Two heartbeats, and what the last one takes. */
const INTERVALS_MS = 65_000;

export const R18: Fault = {
  id: 'R-18',
  title: 'Valkey is emptied, stopped, and comes back empty',
  hypothesis: 'Sends go on; presence is unknown meanwhile, and right again within two heartbeats.',
  schedule: 'Two people write: FLUSHALL; SIGSTOP for 4 s; SIGKILL, and back after 3 s; then Ben goes.',
  asserts: 'Sends were answered during each; Ben is online again within two intervals, and Ana sees him go.',
  async run(run, lab) {
    const [ana, ben] = [await run.sdk('ana'), await run.sdk('ben')];
    const conversationId = await run.group('ana', 'ben');
    ana.client.watchPresence(['ben']);
    await until(() => ana.client.presence('ben').state === 'online', 'Ben is online', INTERVALS_MS);
    const traffic = new Traffic([ana, ben], [conversationId], 100);
    await wait(1_000);
    const during = async (what: string, work: () => Promise<unknown>): Promise<void> => {
      const end = run.history.begin(what);
      const before = answered(run);
      await work();
      run.expect(answered(run) > before, `nothing was answered during: ${what}`);
      end();
    };
    await during('Valkey emptied', async () => {
      await lab.engines.redis('FLUSHALL');
      await wait(1_500);
    });
    await during('Valkey frozen', async () => {
      lab.engines.freeze('redis');
      await wait(4_000);
      lab.engines.thaw('redis');
    });
    await during('Valkey killed', async () => {
      await lab.engines.kill('redis');
      await wait(3_000);
      await lab.engines.start('redis');
    });
    await traffic.stop();
    const looking = await run.raw('ana', 'looking');
    const isBenThere = async (): Promise<boolean> => {
      const answer = await looking.ask('presence.watch', { userIds: ['ben'] });
      return answer.outcome === 'ok' && answer.body.presence[0]?.state === 'online';
    };
    await until(isBenThere, 'Ben is online again', INTERVALS_MS).catch(() => {
      run.expect(false, `Ben is not online ${INTERVALS_MS} ms after Valkey was back`);
    });
    // Whom she watches stood in Valkey alone.
    await ben.client.close();
    await until(() => ana.client.presence('ben').state === 'offline', 'Ana sees him go', INTERVALS_MS).catch(() => {
      run.expect(false, `Ben is ${ana.client.presence('ben').state} to Ana ${INTERVALS_MS} ms after he went`);
    });
  },
};

function answered(run: Run): number {
  return run.history.operations.filter(({ f, type }) => f === 'send' && type === 'ok').length;
}
