import type { DynamoDBBatchResponse, DynamoDBRecord, DynamoDBStreamEvent } from 'aws-lambda';
import { LIMITS } from '@parley/protocol';
import { toDedupe } from '../../lambdas/ports/directory/dynamodb/items.ts';
import type { DedupeRow } from '../../lambdas/ports/directory/port.ts';
import type { ConversationKey } from '../../lambdas/runtime/keys.ts';
import { logger } from '../../lambdas/runtime/logger.ts';

const BATCH_MAX = 1_000;

/** What the stream of the dedupe rows tells of one. */
export function outboxRecord(
  conversation: ConversationKey,
  row: DedupeRow,
  number: number,
  writtenAtMs: number,
): DynamoDBRecord {
  const image = toDedupe(conversation, row, row.expiresAtMs);
  return {
    eventName: 'INSERT',
    dynamodb: {
      SequenceNumber: String(number),
      ApproximateCreationDateTime: writtenAtMs / 1_000,
      NewImage: image as NonNullable<NonNullable<DynamoDBRecord['dynamodb']>['NewImage']>,
    },
  };
}

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
    this.waiting.push(outboxRecord(conversation, row, this.nextNumber++, Date.now()));
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
