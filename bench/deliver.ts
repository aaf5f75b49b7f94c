import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { Outgoing } from '../lambdas/consumers/post.ts';
import { ConnectionsApi } from '../lambdas/ports/gateway/connections-api.ts';
import type { UserKey } from '../lambdas/runtime/keys.ts';
import type { Services } from '../lambdas/runtime/services.ts';
import type { Figure } from './figures.ts';

const TARGETS = 500;
const ROUNDS = 20;

/** How many posts `deliver` makes in a second of one core, against an endpoint that answers 200 at once from a process of its own. */
export async function deliver(scale: number): Promise<Figure[]> {
  const endpoint = fork(join(import.meta.dirname, 'ok-server.ts'), { execArgv: ['--import', 'tsx'] });
  const [{ port }] = (await once(endpoint, 'message')) as [{ port: number }];
  const gateway = new ConnectionsApi({
    endpoint: `http://127.0.0.1:${port}/local`,
    region: 'eu-west-1',
    credentials: { accessKeyId: 'BENCH', secretAccessKey: 'bench' },
  });
  const services = { gateway, now: Date.now } as Partial<Services> as Services;
  const event = JSON.stringify({ type: 'entry', body: { text: 'x'.repeat(300) } });
  const round = async (): Promise<void> => {
    const outgoing = new Outgoing();
    for (let i = 0; i < TARGETS; i++) {
      outgoing.add({ user: 'w/u' as UserKey, connectionId: `L0SM9cOFvHc${String(i).padStart(4, '0')}=` }, event);
    }
    const failed = await outgoing.post(services);
    if (failed.size > 0) throw new Error(`${failed.size} posts failed`);
  };
  await round();
  const rounds = Math.ceil(ROUNDS * scale);
  const before = process.cpuUsage();
  for (let i = 0; i < rounds; i++) await round();
  const { user, system } = process.cpuUsage(before);
  gateway.destroy();
  endpoint.kill();
  const postsPerCoreSecond = (rounds * TARGETS) / ((user + system) / 1e6);
  return [{ name: 'posts of deliver per second and core', value: postsPerCoreSecond, unit: '/s', goal: '≥ 10,000 /s' }];
}
