import type { DeployedApp } from '../assembly/deployed-app.ts';
import type { KafkaMappingDefinition } from '../assembly/mappings.ts';
import type { Access } from '../aws/access.ts';
import type { Endpoint } from '../aws/local-services.ts';
import type { LambdaRuntime } from '../lambda/runtime.ts';
import { FailureDestinations } from '../sources/failure-destination.ts';
import { KafkaSource } from '../sources/kafka-source.ts';
import type { EngineEndpoints } from './create-stores.ts';

export interface SourcesOptions {
  readonly app: DeployedApp;
  readonly access: Access;
  readonly engines: EngineEndpoints;
  readonly broker: Endpoint;
  readonly runtime: LambdaRuntime;
  readonly dir: string;
  readonly log: (line: string) => void;
}

/** What pollers do with the role of their function before it is ever invoked. */
function needs({ sourceArn, topic, consumerGroup }: KafkaMappingDefinition) {
  const within = (kind: string, name: string): string => `${sourceArn.replace(':cluster/', `:${kind}/`)}/${name}`;
  const ask = (action: string, resource: string) => ({ action, resource });
  return [
    ask('kafka:DescribeClusterV2', sourceArn),
    ask('kafka:GetBootstrapBrokers', sourceArn),
    ask('kafka-cluster:Connect', sourceArn),
    ask('kafka-cluster:DescribeTopic', within('topic', topic)),
    ask('kafka-cluster:ReadData', within('topic', topic)),
    ask('kafka-cluster:DescribeGroup', within('group', consumerGroup)),
    ask('kafka-cluster:AlterGroup', within('group', consumerGroup)),
  ];
}

/** Starts the pollers of all mappings whose role lets them work. Resolves with what stops them. */
export async function startSources(options: SourcesOptions): Promise<() => Promise<void>> {
  const { app, access, engines, broker, runtime, dir, log } = options;
  const destinations = new FailureDestinations({ stores: app.stores, access, dir, log });
  const kafka = app.mappings.filter((mapping) => mapping.kind === 'kafka');
  const working = kafka.filter((mapping) => {
    const isAllowed = needs(mapping).every((ask) => access.allowsService(mapping.functionName, ask));
    if (!isAllowed)
      log(`PROBLEM: ${mapping.where} reads nothing, since the role of ${mapping.functionName} does not allow it`);
    return isAllowed;
  });
  const sources = working.map(
    (mapping) =>
      new KafkaSource({
        mapping,
        functionArn: app.functions.get(mapping.functionName)?.arn ?? '',
        broker: engines.kafka,
        bootstrapServers: `${broker.host}:${broker.port}`,
        invoke: (event) => runtime.invoke(mapping.functionName, event),
        giveUp: (record, event) => {
          const { failureDestination, functionName, where } = mapping;
          if (failureDestination !== undefined)
            destinations.keep(failureDestination, functionName, where.split('/')[1] ?? where, record, event);
        },
        log,
      }),
  );
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
