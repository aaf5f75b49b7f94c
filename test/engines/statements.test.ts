import { CQL_TABLES } from '@parley/protocol/stores';
import { STATEMENTS } from '../../lambdas/ports/message-log/statements.ts';
import { createTable } from '../../local/engines/keyspace.ts';

/** What Amazon Keyspaces does not know, or answers by reading everything. */
const REFUSED: Readonly<Record<string, RegExp>> = {
  filtering: /\bALLOW\s+FILTERING\b/i,
  aggregate: /\b(COUNT|SUM|AVG|MIN|MAX)\s*\(|\bGROUP\s+BY\b|\bDISTINCT\b/i,
  'index or view': /\bCREATE\s+(CUSTOM\s+)?INDEX\b|\bMATERIALIZED\b/i,
  truncation: /\bTRUNCATE\b/i,
  'list of keys': /\bIN\s*(\(|\?)/i,
  'limit per partition': /\bPER\s+PARTITION\b/i,
  batch: /\bBATCH\b/i,
  'client timestamp': /\bTIMESTAMP\s+\?|\bUSING\s+TIMESTAMP\b|\bAND\s+TIMESTAMP\b/i,
  'other condition': /\bIF\s+(?!NOT\s+EXISTS\b|\w+\s*(=|!=)\s*\?)/i,
  'range delete': /\bDELETE\b/i,
};

/** Why a statement must not be sent; nothing when it may. */
function faultsOf(cql: string): string[] {
  const faults = Object.keys(REFUSED).filter((fault) => REFUSED[fault]!.test(cql));
  const [, table = ''] = /\b(?:FROM|INTO|UPDATE)\s+(\w+)/i.exec(cql) ?? [];
  if (!Object.hasOwn(CQL_TABLES, table)) return [...faults, 'unknown table'];
  const { partitionKey, clusteringKey, columns } = CQL_TABLES[table as keyof typeof CQL_TABLES];
  const known = new Set(Object.keys({ ...partitionKey, ...clusteringKey, ...columns }));
  const named = [...cql.matchAll(/\b[a-z]+(?:_[a-z]+)*\b/g)].map(([name]) => name).filter((name) => name !== table);
  if (named.some((name) => !known.has(name))) faults.push('unknown column');
  const isRead = /^SELECT\b/i.test(cql);
  const where = /\bWHERE\b(.*)$/i.exec(cql)?.[1] ?? '';
  if (isRead && Object.keys(partitionKey).some((key) => !new RegExp(`\\b${key}\\s*=\\s*\\?`).test(where))) {
    faults.push('not one partition');
  }
  if (isRead && Object.keys(columns).some((column) => new RegExp(`\\b${column}\\b`).test(where))) {
    faults.push('condition on a column');
  }
  if (!isRead && !/\bIF\b/.test(cql)) faults.push('unconditional write');
  if (!isRead && !/\bUSING\s+TTL\s+\?/.test(cql)) faults.push('no time to live');
  return faults;
}

describe('the statements that are sent to the log', () => {
  it.each(Object.entries(STATEMENTS))('are known to Amazon Keyspaces: %s', (_, cql) => {
    expect(faultsOf(cql)).toEqual([]);
  });

  it.each([
    ['SELECT body FROM messages WHERE conversation_id = ? ALLOW FILTERING', 'filtering'],
    ['SELECT COUNT(*) FROM messages WHERE conversation_id = ?', 'aggregate'],
    ['SELECT body FROM messages WHERE conversation_id = ? AND message_id IN ?', 'list of keys'],
    ['SELECT body FROM messages WHERE conversation_id = ? PER PARTITION LIMIT 1', 'limit per partition'],
    ['SELECT body FROM messages WHERE message_id > ?', 'not one partition'],
    ['SELECT body FROM messages WHERE conversation_id = ? AND kind = ?', 'condition on a column'],
    ['SELECT text FROM messages WHERE conversation_id = ?', 'unknown column'],
    ['SELECT body FROM replies WHERE conversation_id = ?', 'unknown table'],
    ['INSERT INTO messages (conversation_id, message_id) VALUES (?, ?) USING TTL ?', 'unconditional write'],
    ['INSERT INTO messages (conversation_id, message_id) VALUES (?, ?) IF NOT EXISTS', 'no time to live'],
    ['INSERT INTO messages (conversation_id) VALUES (?) IF NOT EXISTS USING TTL ? AND TIMESTAMP ?', 'client timestamp'],
    ['UPDATE messages USING TTL ? SET body = ? WHERE conversation_id = ? IF seq > ?', 'other condition'],
    ['BEGIN BATCH INSERT INTO messages (message_id) VALUES (?) IF NOT EXISTS USING TTL ? APPLY BATCH', 'batch'],
    ['DELETE FROM messages WHERE conversation_id = ? IF seq = ?', 'range delete'],
  ])('would be refused: %s', (cql, fault) => {
    expect(faultsOf(cql)).toContain(fault);
  });
});

describe('a table of the plain data', () => {
  it('becomes the CQL of the local Cassandra', () => {
    const table = {
      partitionKey: { a: 'text', b: 'text' },
      clusteringKey: { c: { type: 'bigint', order: 'DESC' }, d: { type: 'text', order: 'ASC' } },
      columns: { e: 'blob' },
      ttlSeconds: 60,
    } as const;
    expect(createTable('k', 't', table)).toBe(
      'CREATE TABLE IF NOT EXISTS k.t (a text, b text, c bigint, d text, e blob, PRIMARY KEY ((a, b), c, d))' +
        ' WITH CLUSTERING ORDER BY (c DESC, d ASC) AND default_time_to_live = 60',
    );
  });
});
