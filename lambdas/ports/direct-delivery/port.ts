import type { Entry } from '@parley/protocol';
import type { ConversationKey } from '../../runtime/keys.ts';

/** What `send` hands to `deliver`. */
export interface DirectRequest {
  readonly type: 'direct';
  readonly conversation: ConversationKey;
  readonly entry: Entry;
  readonly memberIds: readonly string[];
  readonly exceptConnectionId?: string;
}

export interface DirectAnswer {
  /** Members whom the stream need not serve again. */
  readonly served: readonly string[];
}

/** The short way from `send` to `deliver`. Correctness never depends on it: whoever it does not serve, the stream does. */
export interface DirectDelivery {
  /** Resolves within `deadlineMs`. @throws {Unavailable} nobody is known to be served. */
  deliver(request: DirectRequest, deadlineMs: number): Promise<DirectAnswer>;
}
