import type { types } from 'cassandra-driver';
import type { EntryId } from '@parley/protocol';
import type { ConversationKey } from '../../runtime/keys.ts';
import { CqlSession, type CqlSessionOptions } from './cql-session.ts';
import type { Insertion, LogRow, MessageLog } from './port.ts';
import { LOG_COLUMNS, STATEMENTS, type LogColumn, type Statement } from './statements.ts';

export interface KeyspacesMessageLogOptions extends CqlSessionOptions {
  readonly now?: () => number;
}

/** The most that Cassandra and Keyspaces accept: 20 years. */
const TTL_MAX_SECONDS = 630_720_000;

/** The log in Amazon Keyspaces, or in any Cassandra. Connects on the first call. */
export class KeyspacesMessageLog implements MessageLog {
  private readonly session: CqlSession;
  private readonly now: () => number;

  constructor({ now = Date.now, ...options }: KeyspacesMessageLogOptions) {
    this.session = new CqlSession(options);
    this.now = now;
  }

  async insertIfAbsent(row: LogRow): Promise<Insertion> {
    const columns = toColumns(row);
    const values = [...LOG_COLUMNS.map((column) => columns[column]), this.secondsLeft(row.expiresAtMs)];
    const { rows } = await this.session.execute(STATEMENTS.insertIfAbsent, values);
    const answer = rows[0];
    if (!answer || answer['[applied]'] === true) return { applied: true };
    return { applied: false, existing: toLogRow(answer) };
  }

  async get(conversation: ConversationKey, id: EntryId): Promise<LogRow | undefined> {
    return (await this.read(STATEMENTS.get, [conversation, BigInt(id)], 1))[0];
  }

  after(conversation: ConversationKey, after: EntryId, limit: number): Promise<LogRow[]> {
    return this.read(STATEMENTS.after, [conversation, BigInt(after)], limit);
  }

  before(conversation: ConversationKey, before: EntryId | undefined, limit: number): Promise<LogRow[]> {
    return before === undefined
      ? this.read(STATEMENTS.latest, [conversation], limit)
      : this.read(STATEMENTS.before, [conversation, BigInt(before)], limit);
  }

  /** Ends the connections. */
  async close(): Promise<void> {
    await this.session.close();
  }

  /** Keyspaces cuts a page at 1 MB, and expired rows do not count: it may take several to fill one answer. */
  private async read(statement: Statement, values: unknown[], limit: number): Promise<LogRow[]> {
    const found: LogRow[] = [];
    let pageState: string | undefined;
    do {
      const page = await this.session.execute(statement, values, {
        fetchSize: limit,
        ...(pageState !== undefined && { pageState }),
      });
      found.push(...page.rows.map(toLogRow).filter((row) => row.expiresAtMs > this.now()));
      pageState = page.pageState ?? undefined;
    } while (pageState !== undefined && found.length < limit);
    return found.slice(0, limit);
  }

  /** Never before the row ends, and never 0, which would mean for ever. */
  private secondsLeft(expiresAtMs: number): number {
    const seconds = Math.ceil((expiresAtMs - this.now()) / 1_000);
    return Math.min(Math.max(seconds, 1), TTL_MAX_SECONDS);
  }
}

function toColumns(row: LogRow): Record<LogColumn, unknown> {
  return {
    conversation_id: row.conversation,
    message_id: BigInt(row.id),
    seq: BigInt(row.seq),
    kind: row.kind,
    sender_id: row.senderId ?? null,
    device_id: row.deviceId ?? null,
    client_message_id: row.clientMessageId ?? null,
    body: row.body === undefined ? null : Buffer.from(row.body),
    sent_at: new Date(row.sentAtMs),
    expires_at: new Date(row.expiresAtMs),
  };
}

interface LogColumns {
  readonly conversation_id: string;
  readonly message_id: bigint;
  readonly seq: bigint;
  readonly kind: LogRow['kind'];
  readonly sender_id: string | null;
  readonly device_id: string | null;
  readonly client_message_id: string | null;
  readonly body: Buffer | null;
  readonly sent_at: Date;
  readonly expires_at: Date;
}

function toLogRow(row: types.Row): LogRow {
  const columns = row as unknown as LogColumns;
  return {
    conversation: columns.conversation_id as ConversationKey,
    id: columns.message_id.toString(),
    seq: Number(columns.seq),
    kind: columns.kind,
    ...(columns.sender_id !== null && { senderId: columns.sender_id }),
    ...(columns.device_id !== null && { deviceId: columns.device_id }),
    ...(columns.client_message_id !== null && { clientMessageId: columns.client_message_id }),
    ...(columns.body !== null && { body: columns.body.toString() }),
    sentAtMs: columns.sent_at.getTime(),
    expiresAtMs: columns.expires_at.getTime(),
  };
}
