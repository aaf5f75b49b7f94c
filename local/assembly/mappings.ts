import { Fields } from './fields.ts';
import type { FunctionDefinition } from './functions.ts';
import type { Resource } from './resolver.ts';

interface MappingBase {
  readonly where: string;
  readonly functionName: string;
  readonly sourceArn: string;
  readonly batchSize: number;
  readonly windowMs: number;
  readonly startingPosition: 'TRIM_HORIZON' | 'LATEST';
  /** Tries after the first one. -1: without end. */
  readonly retriesMax: number;
  /** Older records are not tried again. -1: however old. */
  readonly recordAgeMaxMs: number;
  readonly bisect: boolean;
  readonly reportsItemFailures: boolean;
  /** ARN that takes what could not be processed. */
  readonly failureDestination?: string;
}

export interface KafkaMappingDefinition extends MappingBase {
  readonly kind: 'kafka';
  readonly topic: string;
  readonly consumerGroup: string;
}

export interface StreamMappingDefinition extends MappingBase {
  readonly kind: 'dynamodb';
  readonly filters: readonly string[];
}

export type MappingDefinition = KafkaMappingDefinition | StreamMappingDefinition;

/** With a failure destination the service gives up after this many retries, even where none are bounded. */
const RETRIES_WITH_DESTINATION_MAX = 10;
const BATCH_DEFAULT = 100;

/** The enabled event source mappings of the app. @throws {AssemblyError} for a source that is not run here */
export function extractMappings(
  resources: readonly Resource[],
  functions: ReadonlyMap<string, FunctionDefinition>,
): MappingDefinition[] {
  return resources
    .filter(({ type }) => type === 'AWS::Lambda::EventSourceMapping')
    .filter((resource) => Fields.of(resource).optionalFlag('Enabled') ?? true)
    .map((resource) => readMapping(resource, functions));
}

function readMapping(resource: Resource, functions: ReadonlyMap<string, FunctionDefinition>): MappingDefinition {
  const fields = Fields.of(resource);
  const named = fields.text('FunctionName');
  const fn = functions.get(named) ?? [...functions.values()].find(({ arn }) => arn === named);
  if (!fn) return fields.fail('FunctionName', `${named} is no function of the app.`);
  const sourceArn = fields.text('EventSourceArn');
  const startingPosition = fields.text('StartingPosition');
  if (startingPosition !== 'TRIM_HORIZON' && startingPosition !== 'LATEST') {
    return fields.fail('StartingPosition', `${startingPosition} is not run here: only TRIM_HORIZON and LATEST are.`);
  }
  const failureDestination = fields
    .optionalObject('DestinationConfig')
    ?.optionalObject('OnFailure')
    ?.optionalText('Destination');
  const retries = fields.optionalNumber('MaximumRetryAttempts') ?? -1;
  const recordAgeSeconds = fields.optionalNumber('MaximumRecordAgeInSeconds') ?? -1;
  const isKafka = sourceArn.split(':')[2] === 'kafka';
  const base = {
    where: `${resource.stackName}/${resource.logicalId}`,
    functionName: fn.name,
    sourceArn,
    batchSize: fields.optionalNumber('BatchSize') ?? BATCH_DEFAULT,
    windowMs: (fields.optionalNumber('MaximumBatchingWindowInSeconds') ?? (isKafka ? 0.5 : 0)) * 1_000,
    startingPosition,
    retriesMax: retries < 0 && isKafka && failureDestination !== undefined ? RETRIES_WITH_DESTINATION_MAX : retries,
    recordAgeMaxMs: recordAgeSeconds < 0 ? -1 : recordAgeSeconds * 1_000,
    bisect: fields.optionalFlag('BisectBatchOnFunctionError') ?? false,
    reportsItemFailures: fields.texts('FunctionResponseTypes').includes('ReportBatchItemFailures'),
    ...(failureDestination !== undefined && { failureDestination }),
  } as const;
  if (isKafka) {
    const [topic] = fields.texts('Topics');
    if (topic === undefined) return fields.fail('Topics', 'is missing.');
    const consumerGroup =
      fields.optionalObject('AmazonManagedKafkaEventSourceConfig')?.optionalText('ConsumerGroupId') ?? resource.ref;
    return { ...base, kind: 'kafka', topic, consumerGroup };
  }
  if (/^arn:[^:]+:dynamodb:.*\/stream\//.test(sourceArn)) {
    const filters = fields.optionalObject('FilterCriteria')?.objects('Filters') ?? [];
    return { ...base, kind: 'dynamodb', filters: filters.map((filter) => filter.text('Pattern')) };
  }
  return fields.fail('EventSourceArn', `${sourceArn} is not run here: only Kafka and DynamoDB streams are.`);
}
