/** What a CQL statement asks for. */
export interface CqlAsk {
  readonly action: string;
  /** `/keyspace/{keyspace}/table/{table}` */
  readonly path: string;
}

const SELECT = 'cassandra:Select';
const MODIFY = 'cassandra:Modify';
const TABLE = String.raw`("?\w+"?(?:\s*\.\s*"?\w+"?)?)`;
const FORMS: readonly { readonly pattern: RegExp; readonly action: string }[] = [
  { pattern: new RegExp(`^\\s*SELECT\\b[\\s\\S]*?\\bFROM\\s+${TABLE}`, 'i'), action: SELECT },
  { pattern: new RegExp(`^\\s*INSERT\\s+INTO\\s+${TABLE}`, 'i'), action: MODIFY },
  { pattern: new RegExp(`^\\s*UPDATE\\s+${TABLE}`, 'i'), action: MODIFY },
  { pattern: new RegExp(`^\\s*DELETE\\b[\\s\\S]*?\\bFROM\\s+${TABLE}`, 'i'), action: MODIFY },
];

/** The rights that a statement needs. Definitions of tables and the like need one that no function has. */
export function asksOf(statement: string, keyspace: string): CqlAsk[] {
  for (const { pattern, action } of FORMS) {
    const named = pattern.exec(statement)?.[1]?.replaceAll(/["\s]/g, '');
    if (named === undefined) continue;
    const [table = '', inKeyspace = keyspace] = named.split('.').reverse();
    const path = `/keyspace/${inKeyspace}/table/${table}`;
    // A condition reads what stands there.
    const reads = action === MODIFY && /\bIF\b/i.test(statement);
    return [{ action, path }, ...(reads ? [{ action: SELECT, path }] : [])];
  }
  const verb = /^\s*(\w+)/.exec(statement)?.[1] ?? 'Unknown';
  return [
    {
      action: `cassandra:${verb.charAt(0).toUpperCase()}${verb.slice(1).toLowerCase()}`,
      path: `/keyspace/${keyspace}`,
    },
  ];
}
