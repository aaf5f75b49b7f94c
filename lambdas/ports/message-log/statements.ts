import { CQL_TABLES } from '@parley/protocol/stores';

const { partitionKey, clusteringKey, columns } = CQL_TABLES.messages;

/** Every column of a row of the log. */
export type LogColumn = keyof typeof partitionKey | keyof typeof clusteringKey | keyof typeof columns;

export const LOG_COLUMNS = Object.keys({ ...partitionKey, ...clusteringKey, ...columns }) as LogColumn[];

const ALL = LOG_COLUMNS.join(', ');

/**
 * Every statement that Parley sends to the log. A test refuses in here what Amazon Keyspaces does not know. Readers bound themselves by the
 * page: a limit would count rows that have expired.
 */
export const STATEMENTS = {
  /** The columns in their order, then the seconds to live. */
  insertIfAbsent: `INSERT INTO messages (${ALL}) VALUES (${LOG_COLUMNS.map(() => '?').join(', ')}) IF NOT EXISTS USING TTL ?`,
  get: `SELECT ${ALL} FROM messages WHERE conversation_id = ? AND message_id = ?`,
  /** Oldest first. */
  after: `SELECT ${ALL} FROM messages WHERE conversation_id = ? AND message_id > ? ORDER BY message_id ASC`,
  /** Newest first, as the rows lie. */
  before: `SELECT ${ALL} FROM messages WHERE conversation_id = ? AND message_id < ?`,
  latest: `SELECT ${ALL} FROM messages WHERE conversation_id = ?`,
} as const;

export type Statement = (typeof STATEMENTS)[keyof typeof STATEMENTS];
