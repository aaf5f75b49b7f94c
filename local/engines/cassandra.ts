import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { EngineKind, Place } from './engine.ts';
import { JVM_ENGINES } from './jars.ts';
import { javaCommand } from './java.ts';
import { ask } from './probe.ts';

/** Cassandra names it so when it is not told otherwise. */
export const CASSANDRA_DATA_CENTER = 'datacenter1';

const HEAP = '384m';
/** What Cassandra reaches into on Java 17. */
const EXPORTS = [
  ...['jdk.internal.misc', 'jdk.internal.ref', 'sun.nio.ch', 'java.lang.ref'].map((name) => `java.base/${name}`),
  'java.management.rmi/com.sun.jmx.remote.internal.rmi',
  'java.rmi/sun.rmi.registry',
  'java.rmi/sun.rmi.server',
  'java.sql/java.sql',
  'jdk.unsupported/sun.misc',
];
const OPENS = [
  ...[
    ...['java.lang.module', 'java.io', 'java.lang', 'java.lang.reflect', 'java.util', 'java.util.concurrent'],
    ...['java.util.concurrent.atomic', 'java.nio', 'java.net', 'sun.nio.ch', 'jdk.internal.loader', 'jdk.internal.ref'],
    ...['jdk.internal.reflect', 'jdk.internal.math', 'jdk.internal.module', 'jdk.internal.util.jar'],
  ].map((name) => `java.base/${name}`),
  'jdk.management/com.sun.management.internal',
];
/** A single node has nobody to wait for. */
const ALONE = [
  'cassandra.ring_delay_ms=100',
  'cassandra.skip_wait_for_gossip_to_settle=0',
  'cassandra.superuser_setup_delay_ms=0',
  'cassandra.shutdown_announce_in_ms=0',
];

export const cassandra: EngineKind = {
  title: JVM_ENGINES.cassandra.title,
  portCount: 2,
  prepare(place) {
    const { dir, fetched: jars } = place;
    const conf = join(dir, 'conf');
    mkdirSync(conf, { recursive: true });
    writeFileSync(join(conf, 'cassandra.yaml'), yamlOf(place));
    const logback = join(conf, 'logback.xml');
    if (!existsSync(logback)) writeFileSync(logback, LOGBACK);
    return javaCommand(place, HEAP, [
      '-Xss512k',
      ...EXPORTS.map((name) => `--add-exports=${name}=ALL-UNNAMED`),
      ...OPENS.map((name) => `--add-opens=${name}=ALL-UNNAMED`),
      `-javaagent:${join(jars, 'jamm-0.4.0.jar')}`,
      `-Dcassandra.config=${pathToFileURL(join(conf, 'cassandra.yaml')).href}`,
      `-Dcassandra.storagedir=${dir}`,
      `-Dlogback.configurationFile=${logback}`,
      '-Dcassandra-foreground=yes',
      ...ALONE.map((setting) => `-D${setting}`),
      ...['-cp', `${conf}:${jars}/*`, 'org.apache.cassandra.service.CassandraDaemon'],
    ]);
  },
  // An OPTIONS frame of version 4; the answer is SUPPORTED.
  isReady: async (port) => (await ask(port, Buffer.from('040000000500000000', 'hex')))[4] === 0x06,
};

function yamlOf({ dir, ports: [nativePort, storagePort] }: Place): string {
  return `cluster_name: parley
num_tokens: 1
partitioner: org.apache.cassandra.dht.Murmur3Partitioner
endpoint_snitch: SimpleSnitch
seed_provider:
  - class_name: org.apache.cassandra.locator.SimpleSeedProvider
    parameters:
      - seeds: "127.0.0.1:${storagePort}"
listen_address: 127.0.0.1
storage_port: ${storagePort}
rpc_address: 127.0.0.1
start_native_transport: true
native_transport_port: ${nativePort}
authenticator: AllowAllAuthenticator
authorizer: AllowAllAuthorizer
# Acknowledged is on the disk.
commitlog_sync: batch
commitlog_segment_size: 8MiB
commitlog_total_space: 64MiB
data_file_directories:
  - ${join(dir, 'data')}
commitlog_directory: ${join(dir, 'commitlog')}
saved_caches_directory: ${join(dir, 'saved_caches')}
hints_directory: ${join(dir, 'hints')}
cdc_raw_directory: ${join(dir, 'cdc_raw')}
disk_failure_policy: die
commit_failure_policy: die
key_cache_size: 8MiB
file_cache_size: 32MiB
auto_snapshot: false
`;
}

const LOGBACK = `<configuration>
  <appender name="OUT" class="ch.qos.logback.core.ConsoleAppender">
    <encoder><pattern>%-5level %date{ISO8601} %logger{0} %msg%n</pattern></encoder>
  </appender>
  <root level="INFO"><appender-ref ref="OUT"/></root>
</configuration>
`;
