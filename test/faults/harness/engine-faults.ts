import { connect } from 'node:net';
import type { Engines } from '../../../local/engines/engines.ts';

export type EngineName = 'cassandra' | 'kafka' | 'redis' | 'dynamodb';

const REDIS_TIMEOUT_MS = 10_000;

/** Crashes, freezes and brings back engines, on the same port and with the data that they had. */
export class EngineFaults {
  private readonly dead = new Set<EngineName>();
  private readonly frozen = new Map<EngineName, number>();
  private redisUsers: string[] = [];
  private announcedPort = 0;

  constructor(private readonly engines: Engines) {}

  /** Functions reach Redis by the address that it announces as a node of a cluster. */
  async announceRedis(port: number): Promise<void> {
    this.announcedPort = port;
    await this.redis(`CONFIG SET cluster-announce-port ${port}`);
  }

  /** As by a crash of its machine, but for the disk. */
  async kill(name: EngineName): Promise<void> {
    if (name === 'redis') this.redisUsers = await this.usersOfRedis();
    await this.engines[name].kill();
    this.dead.add(name);
  }

  /** Resolves when it answers again. Redis comes back empty, with its users. */
  async start(name: EngineName): Promise<void> {
    await this.engines[name].start();
    this.dead.delete(name);
    if (name !== 'redis') return;
    for (const line of this.redisUsers) await this.redis(`ACL SETUSER ${line}`);
    await this.announceRedis(this.announcedPort);
  }

  /** @throws when it does not run */
  pidOf(name: EngineName): number {
    const { pid } = this.engines[name];
    if (pid === undefined) throw new Error(`${name} does not run`);
    return pid;
  }

  /** Where it listens, past every network of the harness. */
  addressOf(name: EngineName): { readonly host: string; readonly port: number } {
    return this.engines[name];
  }

  freeze(name: EngineName): void {
    const pid = this.pidOf(name);
    process.kill(pid, 'SIGSTOP');
    this.frozen.set(name, pid);
  }

  thaw(name: EngineName): void {
    const pid = this.frozen.get(name);
    this.frozen.delete(name);
    if (pid !== undefined) process.kill(pid, 'SIGCONT');
  }

  async heal(): Promise<void> {
    for (const name of [...this.frozen.keys()]) this.thaw(name);
    await Promise.all([...this.dead].map((name) => this.start(name)));
  }

  /** One command of Redis, past every proxy. Answers what it says, as it stands on the wire. */
  async redis(command: string): Promise<string> {
    const { host, port } = this.engines.redis;
    const socket = connect(port, host);
    try {
      return await new Promise((resolve, reject) => {
        let said = '';
        socket.setTimeout(REDIS_TIMEOUT_MS, () => reject(new Error(`Redis did not answer ${command}`)));
        socket.once('error', reject);
        socket.on('data', (chunk: Buffer) => (said += chunk.toString()));
        socket.once('close', () => {
          if (said.startsWith('-')) reject(new Error(said));
          else resolve(said);
        });
        socket.write(`${command}\r\nQUIT\r\n`);
      });
    } finally {
      socket.destroy();
    }
  }

  private async usersOfRedis(): Promise<string[]> {
    const lines = (await this.redis('ACL LIST')).split('\r\n');
    return lines.filter((line) => /^user (?!default )/.test(line)).map((line) => line.slice('user '.length));
  }
}
