import { Aws, Duration } from 'aws-cdk-lib';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import * as sqs from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import { KAFKA_TOPICS, type KafkaTopicName } from '@parley/protocol/stores';
import { ENV } from '../../lambdas/runtime/env.ts';
import type { Stage } from '../stages.ts';
import { EncryptionKey } from './encryption-key.ts';
import type { EventStream } from './event-stream.ts';
import { FailedBatches } from './failed-batches.ts';
import type { InvocationEndpoints } from './invocation-endpoints.ts';
import type { ParleyFunction } from './parley-function.ts';

const BATCH_RECORDS_MAX = 100;

export interface StreamConsumerProps {
  readonly stage: Stage;
  readonly events: EventStream;
  readonly fn: ParleyFunction;
  readonly topics: readonly KafkaTopicName[];
  /** For what holds ids only. */
  readonly idsKey: EncryptionKey;
  /** Holds what on-demand pollers must find. */
  readonly reachable: InvocationEndpoints;
}

/**
 * Reads topics for a function. A record that the function gives up on goes, without its body, into a queue; the batch of a function that
 * crashes goes, with its bodies, into a bucket of its own key.
 */
export class StreamConsumer extends Construct {
  readonly failed: FailedBatches;
  readonly parkedQueueUrl: string;

  constructor(scope: Construct, id: string, { stage, events, fn, topics, idsKey, reachable }: StreamConsumerProps) {
    super(scope, id);
    const bodiesKey = new EncryptionKey(this, 'FailedKey', stage, 'batches that crashed their consumer');
    this.failed = new FailedBatches(this, 'Failed', { stage, fn, encryption: bodiesKey });
    this.parkedQueueUrl = this.makeParkedQueue(fn, idsKey);
    const groupOf = (topic: KafkaTopicName): string => `parley-${fn.name}-${topic}`;
    events.bindConsumer(fn, topics, topics.map(groupOf));
    const mappings = topics.map(
      (topic) =>
        // The L2 class would attach AWS-managed and inline policies.
        new lambda.CfnEventSourceMapping(this, `Mapping-${topic}`, {
          functionName: fn.function.functionName,
          eventSourceArn: events.clusterArn,
          topics: [topic],
          amazonManagedKafkaEventSourceConfig: { consumerGroupId: groupOf(topic) },
          startingPosition: KAFKA_TOPICS[topic].startingPosition,
          batchSize: BATCH_RECORDS_MAX,
          // Unset it is 500 ms, and cannot be restored later.
          maximumBatchingWindowInSeconds: 0,
          destinationConfig: { onFailure: { destination: this.failed.arn } },
          ...pollerSettings(stage, topic),
        }),
    );
    // Pollers that cannot reach what they need would count as failing from the start.
    for (const mapping of mappings) mapping.node.addDependency(reachable);
  }

  private makeParkedQueue(fn: ParleyFunction, { key }: EncryptionKey): string {
    const queue = new sqs.Queue(this, 'Parked', {
      encryption: sqs.QueueEncryption.KMS,
      encryptionMasterKey: key,
      enforceSSL: true,
      retentionPeriod: Duration.days(14),
    });
    fn.setEnvironment(ENV.parkedQueueUrl, queue.queueUrl);
    fn.allow('Parked', ['sqs:SendMessage'], [queue.queueArn]);
    fn.allowKey('ParkedKey', ['kms:Decrypt', 'kms:GenerateDataKey'], key.keyArn, `sqs.${Aws.REGION}.amazonaws.com`);
    return queue.queueUrl;
  }
}

/** Only provisioned pollers can bound retries and halve batches. */
function pollerSettings(stage: Stage, topic: KafkaTopicName): Partial<lambda.CfnEventSourceMappingProps> {
  const { pollers } = stage.kafka;
  if (pollers.mode === 'on demand') return {};
  return {
    provisionedPollerConfig: {
      minimumPollers: pollers.perTopic,
      maximumPollers: pollers.perTopic,
      pollerGroupName: `parley-${stage.name}-${pollers.groupOf[topic]}`,
    },
    maximumRetryAttempts: pollers.retriesMax,
    bisectBatchOnFunctionError: true,
  };
}
