import type { Conversation, Entry, ServerEvent } from '@parley/protocol';
import type { ConversationKey, UserKey } from '../../runtime/keys.ts';

/** The topics and what their records say. Every record carries its schema version `v`. */
export interface TopicRecords {
  /** Keyed by conversation: what its members must get. */
  'conversation-events':
    | {
        readonly v: 1;
        readonly type: 'entry';
        readonly conversation: ConversationKey;
        readonly entry: Entry;
        /** Members that the direct path has served already. */
        readonly served: 'all' | readonly string[];
        /** The sender's own connection, which has the reply. */
        readonly exceptConnectionId?: string;
      }
    | {
        readonly v: 1;
        readonly type: 'receipt';
        readonly conversation: ConversationKey;
        readonly event: ServerEvent & { readonly type: 'receipt' };
      }
    | {
        readonly v: 1;
        readonly type: 'conversation';
        readonly conversation: ConversationKey;
        readonly change: 'added';
        /** As seen by nobody in particular: `deliver` puts in each member's own part. */
        readonly shared: Omit<Conversation, 'me'>;
        readonly exceptConnectionId?: string;
      };
  /** Keyed by user: lossy, for those who are there. */
  signals:
    | { readonly v: 1; readonly type: 'users'; readonly users: readonly UserKey[]; readonly event: ServerEvent }
    | {
        readonly v: 1;
        readonly type: 'connections';
        readonly connections: readonly { readonly user: UserKey; readonly connectionId: string }[];
        readonly event: ServerEvent;
      }
    | { readonly v: 1; readonly type: 'close'; readonly user: UserKey; readonly connectionId: string };
}

export type Topic = keyof TopicRecords;

/** A record that a consumer gave up on: what finds it again, without any body. */
export interface ParkedRecord {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  readonly conversation?: string;
  readonly id?: string;
  readonly seq?: number;
  readonly code: string;
}

/** The road from those who write to those who deliver. Must pass `describeEventStream`. */
export interface EventStream {
  /**
   * Resolves once the record is stored by all replicas in sync. Records of one key are consumed in the order in which
   * their calls were made one after the other; every record at least once.
   * @throws {Unavailable} unknown whether it was stored; a repeat may make it twice.
   */
  publish<T extends Topic>(topic: T, key: string, record: TopicRecords[T]): Promise<void>;
  /** Puts a record aside, so that it does not block those behind it. */
  park(record: ParkedRecord): Promise<void>;
}
