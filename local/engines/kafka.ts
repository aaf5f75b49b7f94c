import { randomBytes } from 'node:crypto';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { EngineKind, Place } from './engine.ts';
import { JVM_ENGINES } from './jars.ts';
import { javaCommand } from './java.ts';
import { ask } from './probe.ts';

const HEAP = '256m';
/** Enough to say why it ended. */
const LOG_LEVEL = '-Dorg.slf4j.simpleLogger.defaultLogLevel=warn';

export const kafka: EngineKind = {
  title: JVM_ENGINES.kafka.title,
  portCount: 2,
  async prepare(place) {
    const { dir, fetched: jars, run } = place;
    const properties = join(dir, 'server.properties');
    writeFileSync(properties, propertiesOf(place));
    const java = (...args: string[]) => javaCommand(place, HEAP, [LOG_LEVEL, '-cp', `${jars}/*`, ...args]);
    if (!existsSync(join(dir, 'data', 'meta.properties'))) {
      const clusterId = randomBytes(16).toString('base64url');
      // One id in 64 begins with a dash, which would be taken for an option of its own.
      const named = `--cluster-id=${clusterId}`;
      await run(java('kafka.tools.StorageTool', 'format', named, '-c', properties, '--ignore-formatted'));
    }
    return java('kafka.Kafka', properties);
  },
  // ApiVersions, version 0, correlation id 1, without a client id.
  isReady: async (port) => (await ask(port, Buffer.from('0000000a001200000000' + '0001ffff', 'hex'))).length > 8,
};

function propertiesOf({ dir, ports: [clientPort, controllerPort] }: Place): string {
  return `process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:${controllerPort}
controller.listener.names=CONTROLLER
listeners=PLAINTEXT://127.0.0.1:${clientPort},CONTROLLER://127.0.0.1:${controllerPort}
advertised.listeners=PLAINTEXT://127.0.0.1:${clientPort}
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT
log.dirs=${join(dir, 'data')}
auto.create.topics.enable=false
group.initial.rebalance.delay.ms=0
offsets.topic.replication.factor=1
offsets.topic.num.partitions=4
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=4
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
share.coordinator.state.topic.num.partitions=4
`;
}
