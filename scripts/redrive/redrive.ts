import type { DynamoDBStreamEvent } from 'aws-lambda';
import { LIMITS } from '@parley/protocol';
import type { RepairRequest } from '../../lambdas/ports/repairs/port.ts';
import type { ConversationKey } from '../../lambdas/runtime/keys.ts';
import type { LostBatch } from './lost.ts';

/** Records of one call: far below what an invocation takes. */
const OUTBOX_MAX = 100;

export type Repair = (request: RepairRequest | DynamoDBStreamEvent) => Promise<void>;

export interface Redriven {
  batches: number;
  numbers: number;
  others: number;
}

export interface RedriveOptions {
  readonly batches: AsyncIterable<LostBatch>;
  /** Resolves when `repair` is done with it. */
  readonly repair: Repair;
  /** Only looks. */
  readonly dryRun?: boolean;
  readonly progress?: (line: string) => void;
}

/**
 * Hands every number that consumers gave up on to `repair`, which reads the log again: an entry that is there is published again, and clients
 * drop it when they have it; what the outbox says that a sender had begun is done; what was deleted or has ended stays gone; delivery asks
 * the roster of that moment, so that removed members get nothing. A batch is taken away only after all of it was repaired: stopped at any
 * moment, a redrive can be run again.
 */
export async function redrive({ batches, repair, dryRun = false, progress }: RedriveOptions): Promise<Redriven> {
  const sum: Redriven = { batches: 0, numbers: 0, others: 0 };
  for await (const batch of batches) {
    const { where, numbers, others, done } = batch;
    if (!dryRun) {
      for (const request of requestsFor(batch)) await repair(request);
      await done();
    }
    sum.batches++;
    sum.numbers += numbers.length;
    sum.others += others;
    progress?.(`${where}: ${numbers.length} entries${others > 0 ? `, ${others} other records left to clients` : ''}`);
  }
  return sum;
}

function* requestsFor({ numbers, outbox }: LostBatch): Iterable<RepairRequest | DynamoDBStreamEvent> {
  if (outbox) {
    for (let at = 0; at < outbox.length; at += OUTBOX_MAX) yield { Records: outbox.slice(at, at + OUTBOX_MAX) };
    return;
  }
  const byConversation = new Map<ConversationKey, Set<number>>();
  for (const { conversation, seq } of numbers) {
    byConversation.set(conversation, (byConversation.get(conversation) ?? new Set()).add(seq));
  }
  for (const [conversation, seqs] of byConversation) {
    const ordered = [...seqs].sort((a, b) => a - b);
    for (let at = 0; at < ordered.length; at += LIMITS.repairNumbersMax) {
      const some = ordered.slice(at, at + LIMITS.repairNumbersMax);
      yield { type: 'repair', conversation, seqs: some, republish: true };
    }
  }
}
