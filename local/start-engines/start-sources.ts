import type { DeployedApp } from '../assembly/deployed-app.ts';
import { AssemblyError } from '../assembly/assembly-error.ts';
import type { MappingDefinition } from '../assembly/mappings.ts';
import type { Access, Ask } from '../aws/access.ts';
import type { Endpoint } from '../engine-calls.ts';
import type { LambdaRuntime } from '../lambda/runtime.ts';
import { DynamoDbSource } from '../sources/dynamodb-source.ts';
import { FailureDestinations, type FailureRecord } from '../sources/failure-destination.ts';
import { KafkaSource } from '../sources/kafka-source.ts';
import type { EngineEndpoints } from './create-stores.ts';

export interface SourcesOptions {
  readonly app: DeployedApp;
  readonly access: Access;
  readonly engines: EngineEndpoints;
  readonly broker: Endpoint;
  readonly runtime: LambdaRuntime;
  readonly log: (line: string) => void;
}

/** What pollers do with the role of their function before it is ever invoked. */
function needs(mapping: MappingDefinition): Ask[] {
  const { sourceArn } = mapping;
  const ask = (action: string, resource = sourceArn): Ask => ({ action, resource });
  if (mapping.kind === 'dynamodb') {
    return ['DescribeStream', 'GetRecords', 'GetShardIterator'].map((action) => ask(`dynamodb:${action}`));
  }
  const within = (kind: string, name: string): string => `${sourceArn.replace(':cluster/', `:${kind}/`)}/${name}`;
  return [
    ask('kafka:DescribeClusterV2'),
    ask('kafka:GetBootstrapBrokers'),
    ask('kafka-cluster:Connect'),
    ask('kafka-cluster:DescribeTopic', within('topic', mapping.topic)),
    ask('kafka-cluster:ReadData', within('topic', mapping.topic)),
    ask('kafka-cluster:DescribeGroup', within('group', mapping.consumerGroup)),
    ask('kafka-cluster:AlterGroup', within('group', mapping.consumerGroup)),
  ];
}

/** Starts the pollers of all mappings whose role lets them work. Resolves with what stops them. */
export async function startSources(options: SourcesOptions): Promise<() => Promise<void>> {
  const { app, access, log } = options;
  const working = app.mappings.filter((mapping) => {
    const isAllowed = needs(mapping).every((ask) => access.allowsService(mapping.functionName, ask));
    if (!isAllowed) {
      log(`PROBLEM: ${mapping.where} reads nothing, since the role of ${mapping.functionName} does not allow it`);
    }
    return isAllowed;
  });
  const destinations = new FailureDestinations({
    stores: app.stores,
    access,
    engine: options.engines.ministack,
    region: app.at.region,
    log,
  });
  const sources = working.map((mapping) => makeSource(mapping, options, destinations));
  const stop = async (): Promise<void> => {
    await Promise.all(sources.map((source) => source.stop()));
  };
  try {
    await Promise.all(sources.map((source) => source.start()));
  } catch (error) {
    await stop();
    throw error;
  }
  return stop;
}

function makeSource(
  mapping: MappingDefinition,
  { app, engines, broker, runtime, log }: SourcesOptions,
  destinations: FailureDestinations,
): KafkaSource | DynamoDbSource {
  const { functionName, failureDestination, sourceArn } = mapping;
  const mappingId = mapping.where.split('/')[1] ?? mapping.where;
  const common = {
    functionArn: app.functions.get(functionName)?.arn ?? '',
    invoke: (event: unknown) => runtime.invoke(functionName, event),
    giveUp: async (record: FailureRecord, event: unknown): Promise<void> => {
      if (failureDestination === undefined) log(`${functionName} failed on a batch too often: it is lost`);
      else await destinations.keep(failureDestination, functionName, mappingId, record, event);
    },
    log,
  };
  if (mapping.kind === 'kafka') {
    return new KafkaSource({
      ...common,
      mapping,
      broker: engines.kafka,
      bootstrapServers: `${broker.host}:${broker.port}`,
    });
  }
  const table = app.stores.tables.find(({ streamArn }) => streamArn === sourceArn);
  if (!table)
    throw new AssemblyError(`${mapping.where}.EventSourceArn`, `${sourceArn} is the stream of no table of the app.`);
  return new DynamoDbSource({ ...common, mapping, tableName: table.name, endpoint: engines.dynamodb });
}
