import { setTimeout as wait } from 'node:timers/promises';
import { Client, errors, policies, types, type Host } from 'cassandra-driver';
import { cassandraAuth } from '../../runtime/aws/cassandra-auth.ts';
import type { Signing } from '../../runtime/aws/credentials.ts';
import { Unavailable } from '../unavailable.ts';
import type { Statement } from './statements.ts';

export interface CqlSessionOptions {
  /** Host names or addresses. */
  readonly contactPoints: readonly string[];
  readonly port: number;
  /** For Keyspaces the region. */
  readonly localDataCenter: string;
  readonly keyspace: string;
  /** For Keyspaces: TLS, and a log-in signed for the role. Without it neither, as a local Cassandra asks for. */
  readonly auth?: Signing;
  /** How long one call may take, its repetitions included. Default 5 s. */
  readonly timeoutMs?: number;
}

export interface Page {
  readonly rows: types.Row[];
  /** Where the next page begins; null on the last one. */
  readonly pageState: string | null;
}

const TIMEOUT_MS = 5_000;
const CONNECT_TIMEOUT_MS = 2_000;
const RECONNECT_MS = 250;
const ATTEMPTS_MAX = 3;
/** Keyspaces throttles by answering with a time-out at once: before the first repetition, doubled before the second. */
const BACKOFF_MS = 25;

/** Prepared statements at LOCAL_QUORUM, over as few connections as possible. */
export class CqlSession {
  private client: Client | undefined;
  private readonly timeoutMs: number;

  constructor(private readonly options: CqlSessionOptions) {
    this.timeoutMs = options.timeoutMs ?? TIMEOUT_MS;
  }

  /**
   * Runs one statement, and again while the server is busy.
   * @throws {Unavailable} unknown whether it took effect
   */
  async execute(
    statement: Statement,
    values: unknown[],
    page: { fetchSize?: number; pageState?: string } = {},
  ): Promise<Page> {
    const deadline = Date.now() + this.timeoutMs;
    let host: string | undefined;
    for (let attempt = 1; ; attempt++) {
      const client = (this.client ??= this.connect());
      try {
        const readTimeout = Math.max(1, Math.min(deadline - Date.now(), this.timeoutMs / 2));
        const { rows, pageState } = await client.execute(statement, values, {
          ...page,
          readTimeout,
          ...at(client, host),
        });
        return { rows, pageState };
      } catch (error) {
        // Values that do not fit their columns: our own fault, and not cured by trying again.
        if (error instanceof TypeError) throw error;
        if (error instanceof errors.NoHostAvailableError) this.retire(client);
        const backoffMs = BACKOFF_MS * 2 ** (attempt - 1) * (0.5 + Math.random());
        if (attempt >= ATTEMPTS_MAX || !isPassing(error) || Date.now() + backoffMs >= deadline)
          throw unavailable(error);
        host = (error as { coordinator?: string }).coordinator;
        await wait(backoffMs);
      }
    }
  }

  /** Ends the connections. */
  async close(): Promise<void> {
    await this.client?.shutdown();
  }

  /** The next call connects anew. Left to itself the driver waits longer and longer, and keeps what it had of hosts that were all away. */
  private retire(client: Client): void {
    if (this.client === client) this.client = undefined;
    client.shutdown().catch(() => undefined);
  }

  private connect(): Client {
    const { contactPoints, port, localDataCenter, keyspace, auth } = this.options;
    return new Client({
      contactPoints: [...contactPoints],
      localDataCenter,
      keyspace,
      ...(auth && {
        authProvider: cassandraAuth(auth),
        // The peers are known by address only, their certificate by the name. The driver alone would accept any.
        sslOptions: { servername: contactPoints[0], rejectUnauthorized: true },
      }),
      policies: {
        // The clocks of writers must decide nothing.
        timestampGeneration: null as never,
        // Each attempt is ours, so that all together stay within the time.
        retry: new policies.retry.FallthroughRetryPolicy(),
        reconnection: new policies.reconnection.ConstantReconnectionPolicy(RECONNECT_MS),
      },
      queryOptions: {
        prepare: true,
        // Every statement is: inserts ask first whether a row is there.
        isIdempotent: true,
        consistency: types.consistencies.localQuorum,
        serialConsistency: types.consistencies.localSerial,
      },
      encoding: { useBigIntAsLong: true, map: Map },
      socketOptions: { connectTimeout: CONNECT_TIMEOUT_MS },
      // What follows only makes the first connection quicker.
      protocolOptions: { port, maxVersion: types.protocolVersion.v4 },
      pooling: { warmup: false },
      isMetadataSyncEnabled: false,
    });
  }
}

/** The same host again: without a word the driver would go from host to host, and give up with all of them. */
function at(client: Client, address: string | undefined): { host?: Host } {
  const host = address === undefined ? undefined : client.hosts.get(address);
  return host?.isUp() === true ? { host } : {};
}

/** Answers that another attempt may not get. The rest is refused for good: rights, syntax, schema. */
function isPassing(error: unknown): boolean {
  if (error instanceof errors.AuthenticationError || error instanceof errors.ArgumentError) return false;
  const refusals: number = types.responseErrorCodes.syntaxError;
  return !(error instanceof errors.ResponseError) || error.code < refusals;
}

function unavailable(error: unknown): Unavailable {
  const { name, message } = error as Error;
  return new Unavailable(`message log: ${name}: ${message}`, { cause: error });
}
