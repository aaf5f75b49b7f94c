import { KAFKA_TOPICS } from '@parley/protocol/stores';
import { STAGES } from '../../lib/stages.ts';
import { INPUT, resourcesOf, templatesOf } from './harness.ts';

describe.each(['small', 'prod'] as const)('the stream stack of %s', (stage) => {
  const { kafka } = STAGES[stage](INPUT);

  it('makes every topic, with its partitions and its retention', () => {
    const topics = resourcesOf(stage, 'stream', 'AWS::MSK::Topic').map(([, { Properties }]) => Properties);
    expect(topics.map(({ TopicName }) => TopicName)).toEqual(Object.keys(KAFKA_TOPICS));
    for (const { TopicName, PartitionCount, ReplicationFactor, Configs } of topics) {
      const name = TopicName as keyof typeof KAFKA_TOPICS;
      expect(PartitionCount).toBe(kafka.partitions[name]);
      expect(ReplicationFactor).toBe(kafka.replicationFactor);
      const properties = Buffer.from(String(Configs), 'base64').toString();
      expect(properties).toBe(`retention.ms=${KAFKA_TOPICS[name].retentionMs}\n`);
    }
  });

  it('lets nobody into the cluster without IAM and TLS', () => {
    templatesOf(stage).stream.hasResourceProperties('AWS::MSK::Cluster', {
      ClientAuthentication: {
        Sasl: { Iam: { Enabled: true }, Scram: { Enabled: false } },
        Unauthenticated: { Enabled: false },
      },
      EncryptionInfo: { EncryptionInTransit: { ClientBroker: 'TLS', InCluster: true } },
      BrokerNodeGroupInfo: { ConnectivityInfo: { PublicAccess: { Type: 'DISABLED' } } },
      NumberOfBrokerNodes: kafka.brokers,
    });
  });

  it('makes no topic by accident and loses no acked record to a stale replica', () => {
    const [[, configuration] = []] = resourcesOf(stage, 'stream', 'AWS::MSK::Configuration');
    expect(String(configuration?.Properties['ServerProperties']).trim().split('\n')).toEqual([
      'auto.create.topics.enable=false',
      'unclean.leader.election.enable=false',
      `default.replication.factor=${kafka.replicationFactor}`,
      `min.insync.replicas=${kafka.minInSyncReplicas}`,
    ]);
  });

  it('gives each function its own user of the cache, by IAM, with its own keys, and has no default user', () => {
    const users = resourcesOf(stage, 'stream', 'AWS::ElastiCache::User').map(([, { Properties }]) => Properties);
    const keysOf = Object.fromEntries(
      users.map(({ UserId, AccessString }) => [
        String(UserId).replace(`parley-${stage}-`, ''),
        String(AccessString)
          .split(' ')
          .filter((word) => word.startsWith('~')),
      ]),
    );
    expect(keysOf).toEqual({
      send: ['~r:*', '~h:*', '~pub:*'],
      repair: ['~h:*', '~pub:*'],
      heartbeat: ['~r:*', '~h:*', '~p:*', '~w:*', '~typing:*'],
      receipt: ['~r:*'],
      sync: ['~r:*', '~repair:*'],
      conversation: ['~r:*', '~h:*', '~pub:*'],
    });
    for (const { UserId, UserName, AuthenticationMode, Engine } of users) {
      expect({ UserName, AuthenticationMode, Engine }).toEqual({
        UserName: UserId,
        AuthenticationMode: { Type: 'iam' },
        Engine: 'valkey',
      });
    }
    const [[, group] = []] = resourcesOf(stage, 'stream', 'AWS::ElastiCache::UserGroup');
    expect(group?.Properties['UserIds']).toHaveLength(users.length);
  });
});
