import type { Reply } from '@parley/protocol';
import type { Connection } from './connection.ts';
import { ParleyError } from './errors.ts';
import type { Timers } from './timers.ts';

interface HeartbeatHooks {
  heads(): Record<string, number>;
  beaten(reply: Reply<'heartbeat'>): void;
  error(error: ParleyError): void;
}

/** Beats at once on a new socket, since presence begins with the first beat, and then at the server's interval. */
export class Heartbeat {
  intervalMs = 30_000;
  private connection: Connection | undefined;
  private cancel = (): void => undefined;

  constructor(
    private readonly timers: Timers,
    private readonly hooks: HeartbeatHooks,
  ) {}

  on(connection: Connection): void {
    this.connection = connection;
    this.beat();
  }

  off(): void {
    this.connection = undefined;
    this.cancel();
  }

  private beat(): void {
    const connection = this.connection;
    if (!connection) return;
    this.cancel();
    this.cancel = this.timers.after(this.intervalMs, () => this.beat());
    connection.request('heartbeat', { heads: this.hooks.heads() }).then(
      (reply) => this.hooks.beaten(reply),
      (error: unknown) => {
        if (error instanceof ParleyError && error.code !== 'OFFLINE') this.hooks.error(error);
      },
    );
  }
}
