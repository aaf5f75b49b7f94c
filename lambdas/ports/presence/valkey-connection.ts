import { Cluster, type RedisOptions } from 'iovalkey';
import { Patience } from '../../runtime/patience.ts';
import { SCRIPTS, type ScriptCommands } from './scripts.ts';

export interface ValkeyOptions {
  readonly host: string;
  readonly port: number;
  /** Default: no TLS, no user, as a local server asks for. */
  readonly tls?: boolean;
  readonly auth?: {
    readonly user: string;
    /** Makes a password. Asked again every 10 minutes: an IAM token is valid for 15, and what it opened for 12 hours. */
    readonly token: () => Promise<string>;
  };
  /** How long one call may take. Default 250 ms. */
  readonly timeoutMs?: number;
  readonly now?: () => number;
}

export type ValkeyCommands = Cluster & ScriptCommands;

const TIMEOUT_MS = 250;
/** For the call that connects first, TLS and log-in included. */
const FIRST_TIMEOUT_MS = 1_000;
const RECONNECT_MAX_MS = 500;
const DISCONNECT_TIMEOUT_MS = 200;
const TOKEN_RENEWED_AFTER_MS = 10 * 60_000;

/** A client of a cluster that fails fast, and whose password changes while it is connected. */
export class ValkeyConnection {
  private cluster: ValkeyCommands | undefined;
  private firstReady: Promise<void> | undefined;
  private wasReady = false;
  private readonly patience: Patience;
  private tokenAtMs = -Infinity;
  /** Handed to every new connection to a node. */
  private readonly nodeOptions: RedisOptions;
  private readonly now: () => number;

  constructor(private readonly options: ValkeyOptions) {
    const { tls, auth, now = Date.now } = options;
    this.now = now;
    this.patience = new Patience('presence', now);
    this.nodeOptions = {
      connectTimeout: FIRST_TIMEOUT_MS,
      disconnectTimeout: DISCONNECT_TIMEOUT_MS,
      ...(tls === true && { tls: {} }),
      ...(auth && { username: auth.user }),
    };
  }

  /** Connects on the first call. @throws {Unavailable} no answer in time, or a refusal */
  async run<T>(work: (commands: ValkeyCommands) => Promise<T>): Promise<T> {
    const limitMs = this.wasReady ? (this.options.timeoutMs ?? TIMEOUT_MS) : FIRST_TIMEOUT_MS;
    return this.patience.wait(limitMs, async () => work(await this.ready()));
  }

  /** Ends the connections. */
  close(): void {
    this.cluster?.disconnect();
  }

  private async ready(): Promise<ValkeyCommands> {
    const cluster = (this.cluster ??= this.open());
    await this.renewToken(cluster);
    if (cluster.status === 'wait') cluster.connect().catch(() => undefined);
    if (cluster.status !== 'ready') {
      if (this.wasReady) throw new Error('not connected');
      await (this.firstReady ??= new Promise((resolve) => cluster.once('ready', resolve)));
    }
    this.wasReady = true;
    return cluster;
  }

  private open(): ValkeyCommands {
    const { host, port } = this.options;
    const cluster = new Cluster([{ host, port }], {
      lazyConnect: true,
      redisOptions: this.nodeOptions,
      // What is asked while nothing is connected fails at once, and is not done later behind everybody's back.
      enableOfflineQueue: false,
      enableAutoPipelining: true,
      clusterRetryStrategy: (attempt) => Math.min(50 * attempt, RECONNECT_MAX_MS),
      slotsRefreshTimeout: FIRST_TIMEOUT_MS,
      // The certificate is made for the name.
      ...(this.options.tls === true && { dnsLookup: (address, done) => done(null, address) }),
      scripts: { ...SCRIPTS },
    });
    // Every call reports its own failure.
    cluster.on('error', () => undefined);
    return cluster as ValkeyCommands;
  }

  /** A new password for connections to come, and for those that stand. */
  private async renewToken(cluster: ValkeyCommands): Promise<void> {
    const { auth } = this.options;
    if (!auth || this.now() - this.tokenAtMs < TOKEN_RENEWED_AFTER_MS) return;
    this.tokenAtMs = this.now();
    try {
      const token = await auth.token();
      this.nodeOptions.password = token;
      for (const node of cluster.nodes()) {
        node.options.password = token;
        // Comes before all later commands of its connection; where it fails they fail too.
        if (node.status === 'ready') node.auth(auth.user, token).catch(() => undefined);
      }
    } catch (error) {
      this.tokenAtMs = -Infinity;
      throw error;
    }
  }
}
