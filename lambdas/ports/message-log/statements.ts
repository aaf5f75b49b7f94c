import { CQL_TABLES } from '@parley/protocol/stores';

const { partitionKey, clusteringKey, columns } = CQL_TABLES.messages;

/** Every column of a row of the log. */
export type LogColumn = keyof typeof partitionKey | keyof typeof clusteringKey | keyof typeof columns;

export const LOG_COLUMNS = Object.keys({ ...partitionKey, ...clusteringKey, ...columns }) as LogColumn[];

const ALL = LOG_COLUMNS.join(', ');
const AT = 'conversation_id = ? AND message_id = ?';

/** What a new row is made of: the columns that nobody else writes. */
export const INSERTED_COLUMNS = LOG_COLUMNS.filter((column) => column !== 'edits');

/**
 * Every statement that Parley sends to the log. A test refuses in here what Amazon Keyspaces does not know. Readers bound themselves by the
 * page: a limit would count rows that have expired.
 */
export const STATEMENTS = {
  /** The columns in their order, then the seconds to live. */
  insertIfAbsent: `INSERT INTO messages (${INSERTED_COLUMNS.join(', ')}) VALUES (${INSERTED_COLUMNS.map(() => '?').join(', ')}) IF NOT EXISTS USING TTL ?`,
  /** The seconds that are left, the edit, the key, the kind that must stand there. A kind of nothing is none, so no row comes into being. */
  addEdit: `UPDATE messages USING TTL ? SET edits = edits + ? WHERE ${AT} IF kind = ?`,
  /** The seconds that are left, kind and body, the key, the kind that must stand there. */
  blank: `UPDATE messages USING TTL ? SET kind = ?, body = ? WHERE ${AT} IF kind = ?`,
  get: `SELECT ${ALL} FROM messages WHERE ${AT}`,
  /** Oldest first. */
  after: `SELECT ${ALL} FROM messages WHERE conversation_id = ? AND message_id > ? ORDER BY message_id ASC`,
  /** Newest first, as the rows lie. */
  before: `SELECT ${ALL} FROM messages WHERE conversation_id = ? AND message_id < ?`,
  latest: `SELECT ${ALL} FROM messages WHERE conversation_id = ?`,
} as const;

export type Statement = (typeof STATEMENTS)[keyof typeof STATEMENTS];
