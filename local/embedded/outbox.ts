import type { DynamoDBBatchResponse, DynamoDBRecord, DynamoDBStreamEvent } from 'aws-lambda';
import { LIMITS } from '@parley/protocol';
import { outboxRecord } from '../../lambdas/ports/directory/outbox.ts';
import type { DedupeRow } from '../../lambdas/ports/directory/port.ts';
import type { ConversationKey } from '../../lambdas/runtime/keys.ts';
import { logger } from '../../lambdas/runtime/logger.ts';

const BATCH_MAX = 1_000;

/** The stream of the dedupe rows in this process: gathers them for a while, and hands them to `repair` until it has settled them. */
export class MemoryOutbox {
  private waiting: DynamoDBRecord[] = [];
  private timer: NodeJS.Timeout | undefined;
  private nextNumber = 1;
  private isClosed = false;

  constructor(
    private readonly repair: (event: DynamoDBStreamEvent) => Promise<unknown>,
    private readonly windowMs: number = LIMITS.repairWindowMs,
  ) {}

  readonly add = (conversation: ConversationKey, row: DedupeRow): void => {
    this.waiting.push(outboxRecord(conversation, row, String(this.nextNumber++), Date.now()));
    this.schedule();
  };

  close(): void {
    this.isClosed = true;
    clearTimeout(this.timer);
  }

  private schedule(): void {
    if (this.isClosed || this.waiting.length === 0) return;
    this.timer ??= setTimeout(() => void this.hand(), this.windowMs).unref();
  }

  private async hand(): Promise<void> {
    const Records = this.waiting.splice(0, BATCH_MAX);
    try {
      const { batchItemFailures } = (await this.repair({ Records })) as DynamoDBBatchResponse;
      const failed = new Set(batchItemFailures.map(({ itemIdentifier }) => itemIdentifier));
      this.waiting.unshift(...Records.filter(({ dynamodb }) => failed.has(dynamodb?.SequenceNumber ?? '')));
    } catch (error) {
      logger.error('repair failed', { error: error as Error });
      this.waiting.unshift(...Records);
    }
    this.timer = undefined;
    this.schedule();
  }
}
