import type { DynamoTableName } from '@parley/protocol/stores';
import type { Dynamo } from './api.ts';

/** What the parts of the directory work on. */
export interface Store {
  readonly dynamo: Dynamo;
  /** The names of the tables. A function that touches one which it was not told of fails with a message that says so. */
  readonly tables: Readonly<Record<DynamoTableName, string>>;
  /** Ms since the Unix epoch. */
  readonly now: () => number;
}
