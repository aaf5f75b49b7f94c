import type { EngineKind } from './engine.ts';
import { ask } from './probe.ts';

/** A cluster of one node that holds every slot, since serverless Valkey is always a cluster. */
export const redis: EngineKind = {
  title: 'redis-server',
  portCount: 2,
  prepare: ({ dir, tools, ports: [port, busPort] }) => ({
    file: tools.redisServer ?? 'redis-server',
    args: [
      ...['--port', String(port), '--bind', '127.0.0.1', '--dir', dir, '--daemonize', 'no'],
      ...['--save', '', '--appendonly', 'no'],
      ...['--cluster-enabled', 'yes', '--cluster-port', String(busPort), '--cluster-announce-ip', '127.0.0.1'],
    ],
    cwd: dir,
  }),
  async isReady(port) {
    const info = await command(port, 'CLUSTER INFO');
    if (info.includes('cluster_state:ok')) return true;
    if (info.includes('cluster_slots_assigned:0')) await command(port, 'CLUSTER ADDSLOTSRANGE 0 16383');
    return false;
  },
};

async function command(port: number, line: string): Promise<string> {
  return (await ask(port, Buffer.from(`${line}\r\n`))).toString();
}
