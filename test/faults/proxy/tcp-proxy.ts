import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { Pipe, reset, type Rule } from './pipe.ts';

export type Direction = 'toTarget' | 'toClient';
export const DIRECTIONS = ['toTarget', 'toClient'] as const;

interface Pair {
  readonly client: Socket;
  readonly target: Socket;
  readonly pipes: Readonly<Record<Direction, Pipe>>;
}

/** A network between a client and a server on this machine, of which faults can be asked. What is asked holds for open and new connections. */
export class TcpProxy {
  readonly host = '127.0.0.1';
  port = 0;
  /** Connections that were taken since the start. */
  accepted = 0;
  /** Pieces that came while they were held, and connections that were reset, since the start. */
  disturbed = 0;
  private server: Server | undefined;
  private readonly pairs = new Set<Pair>();
  private readonly rules: Record<Direction, Rule> = { toTarget: {}, toClient: {} };
  private isHalfOpen = false;

  constructor(private readonly target: { readonly host: string; readonly port: number }) {}

  /** Listens on a free port; after a refusal on the same one again. */
  async listen(): Promise<void> {
    const server = createServer({ pauseOnConnect: true }, (client) => this.take(client));
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(this.port, this.host, resolve);
    });
    this.server = server;
    this.port = (server.address() as AddressInfo).port;
  }

  /** Replaces what happens to bytes of one direction, or of both. */
  set(direction: Direction | 'both', rule: Rule): void {
    for (const each of direction === 'both' ? DIRECTIONS : [direction]) {
      this.rules[each] = rule;
      for (const { pipes } of this.pairs) pipes[each].apply(rule);
    }
  }

  /** Nothing passes, and neither side is told when the other goes, as when a cable is pulled. */
  halfOpen(): void {
    this.isHalfOpen = true;
    this.set('both', { hold: true });
  }

  /** Resets all connections. What was held is lost. */
  cut(): void {
    this.disturbed += this.pairs.size;
    for (const { client, target } of this.pairs) {
      reset(client);
      reset(target);
    }
  }

  /** Resets all connections, and refuses new ones until it listens again. */
  async refuse(): Promise<void> {
    const { server } = this;
    this.server = undefined;
    if (!server) return;
    const closed = new Promise<void>((resolve) => server.close(() => resolve()));
    this.cut();
    await closed;
  }

  /** Everything passes again, what was held first. Connections of which one side has gone meanwhile end. */
  async heal(): Promise<void> {
    this.isHalfOpen = false;
    this.set('both', {});
    for (const pair of this.pairs) if (pair.client.destroyed || pair.target.destroyed) this.end(pair);
    if (!this.server) await this.listen();
  }

  async close(): Promise<void> {
    await this.refuse();
  }

  private take(client: Socket): void {
    this.accepted++;
    const target = connect(this.target.port, this.target.host);
    const onHeld = (): number => this.disturbed++;
    const pipes = { toTarget: new Pipe(client, target, onHeld), toClient: new Pipe(target, client, onHeld) };
    const pair: Pair = { client, target, pipes };
    this.pairs.add(pair);
    for (const direction of DIRECTIONS) pipes[direction].apply(this.rules[direction]);
    for (const socket of [client, target]) {
      socket.setNoDelay(true);
      socket.on('error', () => undefined);
      socket.on('close', () => {
        if (!this.isHalfOpen) this.end(pair);
      });
    }
    client.resume();
  }

  private end(pair: Pair): void {
    this.pairs.delete(pair);
    for (const direction of DIRECTIONS) pair.pipes[direction].flush();
    pair.client.destroySoon();
    pair.target.destroySoon();
  }
}
