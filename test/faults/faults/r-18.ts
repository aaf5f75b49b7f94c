import { setTimeout as wait } from 'node:timers/promises';
import type { Run } from '../harness/run.ts';
import { Traffic } from '../harness/traffic.ts';
import { until } from '../harness/until.ts';
import type { Fault } from './fault.ts';

/** Two heartbeats, and what the last one takes. */
const PRESENCE_WITHIN_MS = 65_000;

export const R18: Fault = {
  id: 'R-18',
  title: 'Valkey is emptied, stopped, and comes back empty',
  hypothesis: 'Sends go on; presence is unknown meanwhile, and right again within two heartbeats.',
  schedule: 'Two people write: FLUSHALL; SIGSTOP for 4 s; SIGKILL, and back after 3 s; then until presence is right.',
  asserts: 'Sends were answered during each; presence is online again within two intervals.',
  async run(run, lab) {
    const [ana, ben] = [await run.sdk('ana'), await run.sdk('ben')];
    const conversationId = await run.group('ana', 'ben');
    ana.client.watchPresence(['ben']);
    await until(() => ana.client.presence('ben').state === 'online', 'Ben is online');
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
    const backAtMs = Date.now();
    let toldAtMs = 0;
    ana.client.on('presence', ({ userId, state }) => {
      if (userId === 'ben' && state === 'online') toldAtMs = Date.now();
    });
    await until(() => toldAtMs > backAtMs, 'Ben is online again', PRESENCE_WITHIN_MS).catch(() => {
      run.expect(false, `nobody said that Ben is online in ${PRESENCE_WITHIN_MS} ms after Valkey was back`);
    });
  },
};

function answered(run: Run): number {
  return run.history.operations.filter(({ f, type }) => f === 'send' && type === 'ok').length;
}
