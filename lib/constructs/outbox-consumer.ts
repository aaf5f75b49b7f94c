import * as lambda from 'aws-cdk-lib/aws-lambda';
import { Construct } from 'constructs';
import { LIMITS } from '@parley/protocol';
import type { Stage } from '../stages.ts';
import type { ParleyTable } from './dynamo-tables.ts';
import type { EncryptionKey } from './encryption-key.ts';
import { FailedBatches } from './failed-batches.ts';
import type { ParleyFunction } from './parley-function.ts';

const BATCH_RECORDS_MAX = 1_000;
/** Its failures are those of a store that is away; records of the stream live for a day. */
const RETRIES_MAX = 100;
const RECORD_AGE_MAX_SECONDS = 24 * 60 * 60;

export interface OutboxConsumerProps {
  readonly stage: Stage;
  readonly table: ParleyTable<'sends'>;
  readonly fn: ParleyFunction;
  /** For what holds ids only. */
  readonly idsKey: EncryptionKey;
}

/** Reads the stream of the dedupe rows for a function, long after most of them are of no interest any more. */
export class OutboxConsumer extends Construct {
  readonly failed: FailedBatches;

  constructor(scope: Construct, id: string, { stage, table, fn, idsKey }: OutboxConsumerProps) {
    super(scope, id);
    this.failed = new FailedBatches(this, 'Failed', { stage, fn, encryption: idsKey });
    // The L2 class would attach inline policies.
    const mapping = new lambda.CfnEventSourceMapping(this, 'Mapping', {
      functionName: fn.function.functionName,
      eventSourceArn: table.bindStream(fn),
      startingPosition: 'TRIM_HORIZON',
      batchSize: BATCH_RECORDS_MAX,
      maximumBatchingWindowInSeconds: LIMITS.repairWindowMs / 1_000,
      maximumRetryAttempts: RETRIES_MAX,
      maximumRecordAgeInSeconds: RECORD_AGE_MAX_SECONDS,
      bisectBatchOnFunctionError: true,
      functionResponseTypes: ['ReportBatchItemFailures'],
      destinationConfig: { onFailure: { destination: this.failed.arn } },
    });
    // Lambda checks the role's rights when the mapping is made.
    mapping.node.addDependency(fn.role);
  }
}
