import { setTimeout as wait } from 'node:timers/promises';
import type { Run } from '../harness/run.ts';
import { Traffic } from '../harness/traffic.ts';
import { until } from '../harness/until.ts';
import type { Fault } from './fault.ts';

/** Two heartbeats, and what the last one takes. */
const INTERVALS_MS = 65_000;
/** As long as Valkey is away. */
const UNKNOWN_WITHIN_MS = 3_000;

export const R18: Fault = {
  id: 'R-18',
  title: 'Valkey is emptied, stopped, and comes back empty',
  hypothesis: 'Sends go on; presence is unknown meanwhile, and right again within two heartbeats.',
  schedule: 'Two people write: FLUSHALL; SIGSTOP for 4 s; SIGKILL, and back after 3 s; then Ben goes.',
  asserts:
    'Sends were answered during each; Ben is unknown while Valkey is frozen, and while it is killed; he is online again within two intervals, and Ana sees him go.',
  async run(run, lab) {
    const [ana, ben] = [await run.sdk('ana'), await run.sdk('ben')];
    const conversationId = await run.group('ana', 'ben');
    ana.client.watchPresence(['ben']);
    await until(() => ana.client.presence('ben').state === 'online', 'Ben is online', INTERVALS_MS);
    const looking = await run.raw('ana', 'looking');
    const seen = async (): Promise<string> => {
      const answer = await looking.ask('presence.watch', { userIds: ['ben'] });
      return answer.outcome === 'ok' ? (answer.body.presence[0]?.state ?? 'nobody') : answer.code;
    };
    const becomesUnknown = async (what: string): Promise<void> => {
      await until(async () => (await seen()) === 'unknown', 'Ben is unknown', UNKNOWN_WITHIN_MS).catch(async () => {
        run.expect(false, `Ben is ${await seen()} while Valkey is ${what}`);
      });
    };
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
      await Promise.all([wait(4_000), becomesUnknown('frozen')]);
      lab.engines.thaw('redis');
    });
    await during('Valkey killed', async () => {
      await lab.engines.kill('redis');
      await Promise.all([wait(3_000), becomesUnknown('killed')]);
      await lab.engines.start('redis');
    });
    const backAtMs = Date.now();
    await traffic.stop();
    await until(async () => (await seen()) === 'online', 'Ben is online again', INTERVALS_MS).catch(() => {
      run.expect(false, `Ben is not online ${INTERVALS_MS} ms after Valkey was back`);
    });
    run.figure(`Ben was online again ${((Date.now() - backAtMs) / 1_000).toFixed(1)} s after Valkey was back`);
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
