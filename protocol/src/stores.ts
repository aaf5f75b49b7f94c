/**
 * The stores as plain data: the templates and the local engines are made from it, so that both hold the same tables, keys and topics.
 * Names of columns, attributes, topics and key prefixes are read from here and written nowhere else.
 */
import { LIMITS } from './limits.ts';

export type CqlType = 'text' | 'bigint' | 'blob' | 'timestamp' | 'map<bigint, bigint>';

export interface CqlTable {
  readonly partitionKey: Readonly<Record<string, CqlType>>;
  /** In the order of the key. */
  readonly clusteringKey: Readonly<Record<string, { readonly type: CqlType; readonly order: 'ASC' | 'DESC' }>>;
  readonly columns: Readonly<Record<string, CqlType>>;
  /** For rows that are written without a TTL of their own. */
  readonly ttlSeconds: number;
}

/** In the keyspace `parley_{stage}`. */
export const CQL_TABLES = {
  /** The log of every conversation, newest first: `conversation_id` holds `{workspaceId}/{conversationId}`. */
  messages: {
    partitionKey: { conversation_id: 'text' },
    clusteringKey: { message_id: { type: 'bigint', order: 'DESC' } },
    columns: {
      seq: 'bigint',
      kind: 'text',
      sender_id: 'text',
      device_id: 'text',
      client_message_id: 'text',
      body: 'blob',
      sent_at: 'timestamp',
      expires_at: 'timestamp',
      target_id: 'bigint',
      /** Of a message: the ids of its edits, and their numbers. */
      edits: 'map<bigint, bigint>',
    },
    ttlSeconds: LIMITS.entryTtlMs / 1_000,
  },
} as const satisfies Record<string, CqlTable>;
export type CqlTableName = keyof typeof CQL_TABLES;

export interface KeyAttribute {
  readonly name: string;
  readonly type: 'S' | 'N';
}

export interface DynamoTable {
  readonly partitionKey: KeyAttribute;
  readonly sortKey?: KeyAttribute;
  /** The attribute that holds when an item ends, in seconds since the Unix epoch. */
  readonly ttlAttribute?: string;
  readonly stream?: 'NEW_IMAGE';
  /** Whether its loss loses more than what is under way: such a table can be recovered to a point in time and is not deleted by mistake. */
  readonly precious: boolean;
}

/** Named `parley-{stage}-{table}`. */
export const DYNAMO_TABLES = {
  directory: {
    partitionKey: { name: 'pk', type: 'S' },
    sortKey: { name: 'sk', type: 'S' },
    precious: true,
  },
  /** One item per user, one attribute per connection. */
  connections: {
    partitionKey: { name: 'userKey', type: 'S' },
    ttlAttribute: 'expiresAt',
    precious: false,
  },
  /** One item per client key: what it became. Its stream is the outbox that repair reads. */
  sends: {
    partitionKey: { name: 'pk', type: 'S' },
    ttlAttribute: 'expiresAt',
    stream: 'NEW_IMAGE',
    precious: false,
  },
} as const satisfies Record<string, DynamoTable>;
export type DynamoTableName = keyof typeof DYNAMO_TABLES;

export interface KafkaTopic {
  readonly retentionMs: number;
  /** Where a consumer begins that has never read it: everything counts, or only what comes from now on. */
  readonly startingPosition: 'TRIM_HORIZON' | 'LATEST';
}

/** How many partitions a topic has is a setting of the deployment. */
export const KAFKA_TOPICS = {
  'conversation-events': { retentionMs: 3 * 24 * 60 * 60 * 1_000, startingPosition: 'TRIM_HORIZON' },
  signals: { retentionMs: 10 * 60 * 1_000, startingPosition: 'LATEST' },
} as const satisfies Record<string, KafkaTopic>;
export type KafkaTopicName = keyof typeof KAFKA_TOPICS;

/** What the keys of the cache begin with. Each function may touch only the families that it uses. */
export const CACHE_KEYS = {
  presence: 'p:',
  watchers: 'w:',
  heads: 'h:',
  rates: 'r:',
  published: 'pub:',
  typing: 'typing:',
  repairs: 'repair:',
} as const;
export type CacheKeyFamily = keyof typeof CACHE_KEYS;
