import type { ConversationKey } from '../../runtime/keys.ts';

/** What `repair` is asked for by others than the outbox. */
export interface RepairRequest {
  readonly type: 'repair';
  readonly conversation: ConversationKey;
  /** Numbers that were taken, at most `repairNumbersMax`: one without a row becomes void. Others are left alone. */
  readonly seqs: readonly number[];
  /** Publishes those that have a row even when they are known to be published: after their records were lost or parked. */
  readonly republish?: boolean;
}

/** The way to `repair`. Whoever asks does not wait for it: a repair that does not happen is asked for again. */
export interface Repairs {
  /** Resolves when the request is taken. @throws {Unavailable} it may have been taken */
  request(request: RepairRequest): Promise<void>;
}
