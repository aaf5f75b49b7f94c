import type { types } from 'cassandra-driver';
import type { EntryId } from '@parley/protocol';
import type { ConversationKey } from '../../runtime/keys.ts';
import { Unavailable } from '../unavailable.ts';
import { CqlSession, type CqlSessionOptions } from './cql-session.ts';
import type { Insertion, LogRow, MessageLog, Place } from './port.ts';
import { INSERTED_COLUMNS, STATEMENTS, type LogColumn, type Statement } from './statements.ts';

export interface KeyspacesMessageLogOptions extends CqlSessionOptions {
  readonly now?: () => number;
}

/** The most that Cassandra and Keyspaces accept: 20 years. */
const TTL_MAX_SECONDS = 630_720_000;
/** A row is blanked once: another attempt follows only when its kind changed in between. */
const BLANK_ATTEMPTS_MAX = 4;

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
    const values = [...INSERTED_COLUMNS.map((column) => columns[column]), this.secondsLeft(row.expiresAtMs)];
    const { rows } = await this.session.execute(STATEMENTS.insertIfAbsent, values);
    const answer = rows[0];
    if (!answer || answer['[applied]'] === true) return { applied: true };
    return { applied: false, existing: toLogRow(answer) };
  }

  async addEdit(conversation: ConversationKey, targetId: EntryId, edit: Place): Promise<boolean> {
    const target = await this.get(conversation, targetId);
    if (target?.kind !== 'message') return false;
    const edits = new Map([[BigInt(edit.id), BigInt(edit.seq)]]);
    const left = this.secondsLeft(target.expiresAtMs);
    const { rows } = await this.session.execute(STATEMENTS.addEdit, [
      ...[left, edits],
      ...[conversation, BigInt(targetId), target.kind],
    ]);
    return rows[0]?.['[applied]'] === true;
  }

  async blank(conversation: ConversationKey, id: EntryId): Promise<LogRow | undefined> {
    for (let attempt = 0; attempt < BLANK_ATTEMPTS_MAX; attempt++) {
      const row = await this.get(conversation, id);
      if (row?.kind !== 'message' && row?.kind !== 'edit') return row;
      const left = this.secondsLeft(row.expiresAtMs);
      await this.session.execute(STATEMENTS.blank, [
        ...[left, 'deleted', null],
        ...[conversation, BigInt(id), row.kind],
      ]);
    }
    throw new Unavailable('the row kept changing');
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
      found.push(
        ...page.rows
          .filter(isWhole)
          .map(toLogRow)
          .filter((row) => row.expiresAtMs > this.now()),
      );
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

/** What was rewritten may outlive the rest of its row by up to a second: the server counts in those. */
function isWhole(row: types.Row): boolean {
  return row['expires_at'] !== null;
}

function toColumns(row: LogRow): Record<Exclude<LogColumn, 'edits'>, unknown> {
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
    target_id: row.targetId === undefined ? null : BigInt(row.targetId),
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
  readonly target_id: bigint | null;
  readonly edits: ReadonlyMap<bigint, bigint> | null;
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
    ...(columns.target_id !== null && { targetId: columns.target_id.toString() }),
    ...(columns.body !== null && { body: columns.body.toString() }),
    ...(columns.edits !== null && { edits: [...columns.edits].map(toPlace) }),
    sentAtMs: columns.sent_at.getTime(),
    expiresAtMs: columns.expires_at.getTime(),
  };
}

function toPlace([id, seq]: [bigint, bigint]): Place {
  return { id: id.toString(), seq: Number(seq) };
}
