import { CustomResource, Duration, Fn, Stack } from 'aws-cdk-lib';
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import * as msk from 'aws-cdk-lib/aws-msk';
import { Construct } from 'constructs';
import { KAFKA_TOPICS, type KafkaTopicName } from '@parley/protocol/stores';
import { ENV } from '../../lambdas/runtime/env.ts';
import type { Stage } from '../stages.ts';
import type { EncryptionKey } from './encryption-key.ts';
import { ParleyFunction, type CodeOf } from './parley-function.ts';

/** Kafka over TLS with IAM authentication. */
const BROKER_PORT = 9098;
const LOOKUP_TIMEOUT_SECONDS = 120;

export interface EventStreamProps {
  readonly stage: Stage;
  readonly vpc: ec2.IVpc;
  readonly encryption: EncryptionKey;
  readonly codeOf: CodeOf;
}

/** Kafka on Amazon MSK and its topics: what others must learn, on its way to them. Nothing in it is the only copy. */
export class EventStream extends Construct {
  readonly clusterArn: string;
  readonly securityGroup: ec2.SecurityGroup;
  private readonly topics = new Map<KafkaTopicName, msk.CfnTopic>();
  private readonly brokers: string;

  constructor(scope: Construct, id: string, props: EventStreamProps) {
    super(scope, id);
    const { stage, vpc, encryption, codeOf } = props;
    this.securityGroup = this.makeSecurityGroup(stage, vpc);
    const cluster = this.makeCluster(props);
    this.clusterArn = cluster.attrArn;
    for (const [name, { retentionMs }] of Object.entries(KAFKA_TOPICS) as [KafkaTopicName, { retentionMs: number }][]) {
      const topic = new msk.CfnTopic(this, `Topic-${name}`, {
        clusterArn: this.clusterArn,
        topicName: name,
        partitionCount: stage.kafka.partitions[name],
        replicationFactor: stage.kafka.replicationFactor,
        configs: Buffer.from(`retention.ms=${retentionMs}\n`).toString('base64'),
      });
      this.topics.set(name, topic);
    }
    this.brokers = this.lookUpBrokers(new ParleyFunction(this, 'brokers', { stage, codeOf, logsKey: encryption }));
  }

  /** Tells `fn` where the brokers are, opens the way, and allows it to write those topics. */
  bindProducer(fn: ParleyFunction, topics: readonly KafkaTopicName[]): void {
    fn.setEnvironment(ENV.brokers, this.brokers);
    fn.allow('Brokers', ['kafka-cluster:Connect', 'kafka-cluster:WriteDataIdempotently'], [this.clusterArn]);
    fn.allow(
      'WriteTopics',
      ['kafka-cluster:DescribeTopic', 'kafka-cluster:WriteData'],
      topics.map((name) => this.topicArn(name)),
    );
    fn.mayReach('Brokers', this.securityGroup, BROKER_PORT, 'Kafka to the brokers');
  }

  /** Allows the pollers of `fn`, which work with its role, to read those topics in those consumer groups. */
  bindConsumer(fn: ParleyFunction, topics: readonly KafkaTopicName[], groups: readonly string[]): void {
    fn.allow('PollerCluster', ['kafka:DescribeClusterV2', 'kafka:GetBootstrapBrokers'], [this.clusterArn]);
    fn.allow(
      'PollerBrokers',
      ['kafka-cluster:Connect', 'kafka-cluster:DescribeClusterDynamicConfiguration'],
      [this.clusterArn],
    );
    fn.allow(
      'PollerTopics',
      ['kafka-cluster:DescribeTopic', 'kafka-cluster:ReadData'],
      topics.map((name) => this.topicArn(name)),
    );
    fn.allow(
      'PollerGroups',
      ['kafka-cluster:DescribeGroup', 'kafka-cluster:AlterGroup'],
      groups.map((group) => this.arn('group', group)),
    );
  }

  private topicArn(name: KafkaTopicName): string {
    return this.arn('topic', name);
  }

  /** ARNs of what a cluster holds carry its name and the UUID that MSK gave it. */
  private arn(kind: 'topic' | 'group', name: string): string {
    const { partition, region, account } = Stack.of(this);
    const nameAndUuid = Fn.select(1, Fn.split(':cluster/', this.clusterArn));
    return `arn:${partition}:kafka:${region}:${account}:${kind}/${nameAndUuid}/${name}`;
  }

  private makeCluster({ stage, vpc, encryption }: EventStreamProps): msk.CfnCluster {
    const { kafka } = stage;
    const configuration = new msk.CfnConfiguration(this, 'Configuration', {
      name: `parley-${stage.name}`,
      kafkaVersionsList: [kafka.version],
      serverProperties: [
        'auto.create.topics.enable=false',
        'unclean.leader.election.enable=false',
        `default.replication.factor=${kafka.replicationFactor}`,
        `min.insync.replicas=${kafka.minInSyncReplicas}`,
        '',
      ].join('\n'),
    });
    return new msk.CfnCluster(this, 'Cluster', {
      clusterName: `parley-${stage.name}`,
      kafkaVersion: kafka.version,
      numberOfBrokerNodes: kafka.brokers,
      configurationInfo: { arn: configuration.attrArn, revision: configuration.attrLatestRevisionRevision },
      brokerNodeGroupInfo: {
        instanceType: kafka.instanceType,
        clientSubnets: vpc.isolatedSubnets.slice(0, kafka.zones).map(({ subnetId }) => subnetId),
        securityGroups: [this.securityGroup.securityGroupId],
        storageInfo: { ebsStorageInfo: { volumeSize: kafka.volumeGiB } },
        connectivityInfo: { publicAccess: { type: 'DISABLED' } },
      },
      clientAuthentication: {
        sasl: { iam: { enabled: true }, scram: { enabled: false } },
        unauthenticated: { enabled: false },
      },
      encryptionInfo: {
        encryptionAtRest: { dataVolumeKmsKeyId: encryption.key.keyArn },
        encryptionInTransit: { clientBroker: 'TLS', inCluster: true },
      },
      enhancedMonitoring: kafka.monitoring,
      loggingInfo: {
        brokerLogs: {
          cloudWatchLogs: {
            enabled: true,
            logGroup: encryption.addLogGroup(this, 'BrokerLogs').logGroupRef.logGroupName,
          },
        },
      },
    });
  }

  /** The pollers of event source mappings stand in the cluster's subnets, with the cluster's group: it talks to itself. */
  private makeSecurityGroup(stage: Stage, vpc: ec2.IVpc): ec2.SecurityGroup {
    const group = new ec2.SecurityGroup(this, 'SecurityGroup', {
      vpc,
      description: `Parley ${stage.name}: brokers, and the pollers that read them`,
      allowAllOutbound: false,
    });
    group.addEgressRule(
      ec2.Peer.anyIpv4(),
      ec2.Port.tcp(443),
      'Lambda, STS and S3 by their endpoints: the VPC has no other way out',
    );
    group.connections.allowInternally(ec2.Port.tcp(BROKER_PORT), 'pollers to brokers');
    return group;
  }

  /** CloudFormation does not tell where the brokers of a cluster are; MSK itself does, to a function that runs while deploying. */
  private lookUpBrokers(lookup: ParleyFunction): string {
    lookup.allow('Lookup', ['kafka:GetBootstrapBrokers'], [this.clusterArn]);
    const resource = new CustomResource(this, 'BrokerList', {
      resourceType: 'Custom::KafkaBrokers',
      serviceToken: lookup.function.functionArn,
      serviceTimeout: Duration.seconds(LOOKUP_TIMEOUT_SECONDS),
      properties: { ClusterArn: this.clusterArn },
    });
    return resource.getAttString('Brokers');
  }
}
