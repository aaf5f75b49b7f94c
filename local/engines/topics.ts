import { Admin } from '@platformatic/kafka';
import { KAFKA_TOPICS, type KafkaTopicName } from '@parley/protocol/stores';

export type Partitions = Readonly<Record<KafkaTopicName, number>>;

/** Creates the topics of the stream in a local Kafka, unless they are there. */
export async function createTopics(
  { host, port }: { readonly host: string; readonly port: number },
  partitions: Partitions,
): Promise<void> {
  const admin = new Admin({ clientId: 'parley-engines', bootstrapBrokers: [`${host}:${port}`] });
  try {
    const existing = new Set(await admin.listTopics());
    for (const [name, { retentionMs }] of Object.entries(KAFKA_TOPICS) as [KafkaTopicName, { retentionMs: number }][]) {
      if (existing.has(name)) continue;
      const configs = [{ name: 'retention.ms', value: String(retentionMs) }];
      await admin.createTopics({ topics: [name], partitions: partitions[name], replicas: 1, configs });
    }
  } finally {
    await admin.close();
  }
}
