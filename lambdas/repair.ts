import type { DynamoDBBatchResponse, DynamoDBStreamEvent } from 'aws-lambda';
import { repairNumbers, repairOutbox } from './consumers/repair.ts';
import { outboxedIn } from './ports/directory/outbox.ts';
import type { RepairRequest } from './ports/repairs/port.ts';
import { directory, log, presence, stream } from './runtime/aws/ports.ts';
import { deployed } from './runtime/lambda.ts';
import type { Services } from './runtime/services.ts';

/**
 * Finishes what senders left behind: entries that were stored and never published, numbers that were taken and never used. Its outbox is the
 * stream of the dedupe rows; `sync` and `npm run redrive` hand it numbers.
 */
export function createHandler(services: Services, wait?: (ms: number) => Promise<unknown>) {
  return async (event: RepairRequest | DynamoDBStreamEvent): Promise<DynamoDBBatchResponse> => {
    if ('type' in event) {
      await repairNumbers(event, services);
      return { batchItemFailures: [] };
    }
    const numbers = event.Records.flatMap((record) => outboxedIn(record) ?? []);
    const failed = await repairOutbox(numbers, services, wait);
    return { batchItemFailures: failed.map((itemIdentifier) => ({ itemIdentifier })) };
  };
}

export const handler = deployed(createHandler, { directory, log, presence, stream });
