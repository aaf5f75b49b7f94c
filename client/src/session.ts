import type { ActionName, Body, Reply, ServerEvent } from '@parley/protocol';
import { fullJitter } from './backoff.ts';
import { Connection, type ConnectionHooks } from './connection.ts';
import { localError, ParleyError, toParleyError } from './errors.ts';
import { Heartbeat } from './heartbeat.ts';
import type { Settings } from './options.ts';
import type { Timers } from './timers.ts';
import type { ClientState } from './types.ts';
import { HandshakeError, openSocket } from './websocket.ts';

type Started = Reply<'session.start'>;
export type Cursors = NonNullable<Body<'session.start'>['cursors']>;

export interface SessionHooks {
  /** Once per socket, just before it is opened. */
  deviceId(): string;
  /** What is held; empty when nothing is. */
  cursors(): Cursors;
  /** One page of the answer to `session.start`; `sent` are the cursors that it answers. False asks for a start with other cursors. */
  started(page: Started, sent: Cursors): Promise<boolean>;
  heads(): Record<string, number>;
  beaten(reply: Reply<'heartbeat'>): void;
  event(event: ServerEvent): void;
  /** A new socket is in use. */
  online(): void;
  /** No socket is left. */
  lost(): void;
  state(state: ClientState): void;
  error(error: ParleyError): void;
}

/** After a revocation a reconnect at full speed would only be refused. */
const REVOKED_FAILURES = 4;

/** How long a closing client waits for answers; without `session.end` the presence ends by itself a little later. */
export const CLOSE_PATIENCE_MS = 1_000;

/** Keeps one socket open: connects with backoff, beats, and replaces the socket before it ends. */
export class Session implements ConnectionHooks {
  state: ClientState = 'connecting';
  private current: Connection | undefined;
  private readonly retiring = new Set<Connection>();
  /** Events that overtook the first answer; only then is it known who the user is. */
  private readonly early = new Map<Connection, ServerEvent[]>();
  private attempt: Promise<void> | undefined;
  private failures = 0;
  private refused = false;
  /** The browser said `offline`: attempts would only fail. */
  private paused = false;
  /** The next attempt waits for nothing but its turn in a herd. */
  private spread = false;
  private cancelRetry = (): void => undefined;
  private cancelRotation = (): void => undefined;
  private readonly waiting = new Set<() => void>();
  private readonly heartbeat: Heartbeat;
  /** Ends a handshake that is under way when the client closes. */
  private readonly closing = new AbortController();

  constructor(
    private readonly settings: Settings,
    private readonly timers: Timers,
    private readonly hooks: SessionHooks,
  ) {
    this.heartbeat = new Heartbeat(timers, {
      heads: () => hooks.heads(),
      beaten: (reply) => {
        // Only a connection that works to and fro counts: one that opens and dies at once keeps the backoff growing.
        this.failures = 0;
        hooks.beaten(reply);
      },
      error: (error) => hooks.error(error),
    });
  }

  isOnline(): boolean {
    return this.current !== undefined;
  }

  /** Resolves when the first attempt has succeeded or failed; the session goes on either way. */
  async start(): Promise<void> {
    if (this.ended) return;
    this.settings.onlineSignal?.addEventListener('online', this.wake);
    this.settings.onlineSignal?.addEventListener('offline', this.pause);
    await this.tryNow();
  }

  /** @throws {ParleyError} OFFLINE when there is no connection, and all that `Connection.request` throws. */
  request<A extends ActionName>(action: A, body: Body<A>): Promise<Reply<A>> {
    return this.current?.request(action, body) ?? Promise.reject(localError('OFFLINE'));
  }

  /** Resolves once online, or after `timeoutMs`. */
  async whenOnline(timeoutMs: number): Promise<void> {
    if (this.isOnline() || this.state === 'closed') return;
    this.hasten();
    await new Promise<void>((resolve) => {
      const done = (): void => {
        cancel();
        this.waiting.delete(done);
        resolve();
      };
      const cancel = this.timers.after(timeoutMs, done);
      this.waiting.add(done);
    });
  }

  /** Somebody waits for the connection: it need not keep out of the way of others any longer. */
  hasten(): void {
    if (this.spread) this.retry();
  }

  /** Ends the presence, closes the socket, and tries no more. */
  async close(): Promise<void> {
    if (this.state === 'closed') return;
    this.settings.onlineSignal?.removeEventListener('online', this.wake);
    this.settings.onlineSignal?.removeEventListener('offline', this.pause);
    this.cancelRetry();
    this.cancelRotation();
    this.setState('closed');
    this.closing.abort();
    const { current } = this;
    if (current) {
      await Promise.race([current.end(), this.timers.sleep(CLOSE_PATIENCE_MS)]);
      current.drop();
    }
    for (const connection of [...this.retiring, ...this.early.keys()]) connection.drop();
    for (const done of this.waiting) done();
  }

  private readonly wake = (): void => {
    this.paused = false;
    if (!this.current) void this.tryNow();
  };

  private readonly pause = (): void => {
    this.paused = true;
    this.cancelRetry();
    // A socket does not notice that the network is gone; without this it would look alive until a request times out.
    this.current?.drop();
    if (!this.ended) this.setState('offline');
  };

  private get ended(): boolean {
    return this.state === 'closed';
  }

  private setState(state: ClientState): void {
    if (this.ended || this.state === state) return;
    this.state = state;
    this.hooks.state(state);
  }

  private tryNow(): Promise<void> {
    this.cancelRetry();
    this.spread = false;
    this.attempt ??= this.connect().finally(() => {
      this.attempt = undefined;
    });
    return this.attempt;
  }

  private async connect(): Promise<void> {
    try {
      const { connection, started } = await this.open();
      this.refused = false;
      this.use(connection, started);
    } catch (error) {
      if (this.ended) return;
      const failure = toParleyError(error, 'CONNECT_FAILED');
      if (failure.cause instanceof HandshakeError) this.refused = failure.cause.tokenSuspect;
      this.hooks.error(failure);
      if (!this.current) this.setState('offline');
      this.retry(failure.retryAfterMs);
      this.failures++;
    }
  }

  private retry(atLeastMs = 0): void {
    this.cancelRetry();
    this.spread = false;
    if (this.ended || this.paused) return;
    const { backoffMinMs, backoffMaxMs, clock } = this.settings;
    const waitMs = fullJitter(this.failures, backoffMinMs, backoffMaxMs, () => clock.random());
    this.cancelRetry = this.timers.after(atLeastMs + waitMs, () => void this.tryNow());
  }

  /**
   * After a socket that worked was lost: whatever took it may have taken everybody's. API Gateway accepts 500 new connections a second, and a
   * doubling wait that begins small would let all come at once.
   */
  private retrySpread(): void {
    const { reconnectSpreadMs, clock } = this.settings;
    if (this.failures > 0 || this.waiting.size > 0) {
      this.retry();
      return;
    }
    this.cancelRetry();
    this.spread = true;
    this.cancelRetry = this.timers.after(clock.random() * reconnectSpreadMs, () => void this.tryNow());
  }

  private async open(): Promise<{ connection: Connection; started: Started }> {
    const token = await this.token();
    const socket = await openSocket({
      url: this.settings.url,
      token,
      deviceId: this.hooks.deviceId(),
      webSocket: this.settings.webSocket,
      timeoutMs: this.settings.requestTimeoutMs,
      timers: this.timers,
      signal: this.closing.signal,
    });
    const connection = new Connection(socket, this.timers, this.settings.requestTimeoutMs, this);
    this.early.set(connection, []);
    try {
      const started = await this.startOn(connection);
      if (this.ended || this.paused) throw localError('OFFLINE');
      return { connection, started };
    } catch (error) {
      connection.drop();
      throw error;
    } finally {
      this.early.delete(connection);
    }
  }

  private async token(): Promise<string> {
    try {
      return await this.settings.token({ refused: this.refused });
    } catch (error) {
      throw localError('TOKEN_FAILED', error);
    }
  }

  private async startOn(connection: Connection): Promise<Started> {
    let cursors = this.hooks.cursors();
    let page: string | undefined;
    for (;;) {
      const started = await this.askToStart(connection, cursors, page);
      if (!started) cursors = {};
      else if (!(await this.hooks.started(started, cursors))) {
        cursors = this.hooks.cursors();
        page = undefined;
        continue;
      } else if (started.nextPage === undefined) {
        for (const event of this.early.get(connection) ?? []) this.hooks.event(event);
        return started;
      }
      page = started?.nextPage;
    }
  }

  /** Undefined when the server cannot use one of the cursors; it does not say which. */
  private async askToStart(connection: Connection, cursors: Cursors, page?: string): Promise<Started | undefined> {
    try {
      return await connection.request('session.start', { cursors, ...(page === undefined ? {} : { page }) });
    } catch (error) {
      if (isCursorError(error) && Object.keys(cursors).length > 0) return undefined;
      throw error;
    }
  }

  /** When to replace a socket that lives for another `livesMs`: some time before its end, spread by jitter. */
  private rotationAfter(livesMs: number): number {
    const leadMs = Math.min(this.settings.rotateBeforeMs, livesMs / 2);
    return Math.max(0, livesMs - leadMs * (0.5 + this.settings.clock.random() / 2));
  }

  private rotateIn(afterMs: number): void {
    this.cancelRotation();
    this.cancelRotation = this.timers.after(afterMs, () => void this.tryNow());
  }

  /** Switches over. The old socket still delivers until it is ended, so nothing falls between the two. */
  private use(connection: Connection, started: Started): void {
    const old = this.current;
    this.current = connection;
    this.rotateIn(this.rotationAfter(started.socketEndsAtMs - started.serverTimeMs));
    this.heartbeat.intervalMs = started.heartbeatIntervalMs;
    this.setState('online');
    this.heartbeat.on(connection);
    this.hooks.online();
    for (const done of [...this.waiting]) done();
    if (!old) return;
    this.retiring.add(old);
    void old.end().finally(() => this.retiring.delete(old));
  }

  events(events: readonly ServerEvent[], from: Connection): void {
    const early = this.early.get(from);
    for (const event of events) {
      if (event.type === 'session') this.sessionChanged(event.body, from);
      else if (early) early.push(event);
      else this.hooks.event(event);
    }
  }

  private sessionChanged(event: Extract<ServerEvent, { type: 'session' }>['body'], from: Connection): void {
    if (event.change === 'revoked') {
      this.failures = Math.max(this.failures, REVOKED_FAILURES);
      this.unauthorised(from);
    } else if (from === this.current) {
      this.rotateIn(event.afterMs * this.settings.clock.random());
    }
  }

  unauthorised(from: Connection): void {
    this.refused = true;
    from.drop();
  }

  closed(connection: Connection): void {
    if (connection !== this.current) return;
    this.current = undefined;
    this.heartbeat.off();
    this.cancelRotation();
    this.hooks.lost();
    if (this.ended || this.paused) return;
    this.setState('connecting');
    if (!this.attempt) {
      this.retrySpread();
      this.failures++;
    }
  }
}

function isCursorError(error: unknown): boolean {
  return error instanceof ParleyError && (error.code === 'INVALID_CURSOR' || error.code === 'CURSOR_EXPIRED');
}
