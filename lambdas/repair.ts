import type { DynamoDBBatchResponse, DynamoDBRecord, DynamoDBStreamEvent } from 'aws-lambda';
import { repairNumbers, repairOutbox, type Outboxed } from './consumers/repair.ts';
import { sendIn } from './ports/directory/dynamodb/items.ts';
import type { Item } from './ports/directory/dynamodb/values.ts';
import type { RepairRequest } from './ports/repairs/port.ts';
import { directory, log, presence, stream } from './runtime/aws/ports.ts';
import { deployed } from './runtime/lambda.ts';
import type { Services } from './runtime/services.ts';

/**
 * Finishes what senders left behind: entries that were stored and never published, numbers that were taken and never used. Its outbox is the
 * stream of the dedupe rows; `sync` and `npm run redrive` hand it numbers.
 */
export function createHandler(services: Services) {
  return async (event: RepairRequest | DynamoDBStreamEvent): Promise<DynamoDBBatchResponse> => {
    if ('type' in event) {
      await repairNumbers(event, services);
      return { batchItemFailures: [] };
    }
    const failed = await repairOutbox(event.Records.flatMap(toOutboxed), services);
    return { batchItemFailures: failed.map((itemIdentifier) => ({ itemIdentifier })) };
  };
}

/** Rows that end are of no interest. */
function toOutboxed({ eventName, dynamodb }: DynamoDBRecord): Outboxed[] {
  const { NewImage, SequenceNumber = '', ApproximateCreationDateTime = 0 } = dynamodb ?? {};
  if (eventName === 'REMOVE' || !NewImage) return [];
  const writtenAtMs = ApproximateCreationDateTime * 1_000;
  return [{ ...sendIn(NewImage as Item), recordId: SequenceNumber, writtenAtMs }];
}

export const handler = deployed(createHandler, { directory, log, presence, stream });
