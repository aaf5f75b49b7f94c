import { KAFKA_TOPICS, type KafkaTopicName } from '@parley/protocol/stores';
import { missing, STACKS, type Deployment } from './deployment.ts';
import { asking, judge, type Finding } from './finding.ts';

interface Cluster {
  readonly clusterArn: string;
  readonly clusterName: string;
  readonly state: string;
  readonly stateInfo?: { readonly message?: string };
}

interface Topic {
  readonly topicName: string;
  readonly partitionCount: number;
  readonly replicationFactor: number;
  readonly outOfSyncReplicaCount?: number;
}

/**
 * The brokers and the topics, as MSK's own API knows them: `ListClustersV2` by name, then `ListTopics` of that cluster. No broker is asked,
 * since none can be reached from outside the VPC; MSK's answer is up to a minute old.
 */
export async function checkTopics(deployment: Deployment): Promise<readonly Finding[]> {
  const { aws, stage } = deployment;
  const clusterName = `parley-${stage.name}`;
  const name = `brokers ${clusterName}`;
  const ifMissing = missing(deployment, 'stream');
  return asking({ name, rights: 'kafka:ListClustersV2', ifMissing }, async () => {
    const query = { clusterNameFilter: clusterName, maxResults: '100' };
    const answer = await aws.call({ service: 'kafka', path: '/api/v2/clusters', query });
    const { clusterInfoList } = JSON.parse(answer) as { clusterInfoList: Cluster[] };
    // The filter takes every name that begins so.
    const cluster = clusterInfoList.find((one) => one.clusterName === clusterName);
    if (!cluster) return [{ name, ok: false, found: 'does not exist', advice: ifMissing }];
    const reason = cluster.stateInfo?.message;
    const found = reason === undefined ? cluster.state : `${cluster.state}: ${reason}`;
    const brokers = judge(name, SERVING.includes(cluster.state), found, adviceOnCluster(cluster.state));
    return [brokers, ...(await checkTopicsOf(deployment, cluster.clusterArn))];
  });
}

/** States in which clients are served; in some of them one broker after the other is away. */
const SERVING = ['ACTIVE', 'UPDATING', 'MAINTENANCE', 'HEALING', 'REBOOTING_BROKER'];

function adviceOnCluster(state: string): string {
  if (state === 'CREATING') return 'Brokers take 20 to 40 minutes to make. Wait, then run this again.';
  return `Nothing in it is the only copy: destroy the stacks ${STACKS.realtime} and ${STACKS.stream}, and deploy again.`;
}

function checkTopicsOf({ aws, stage }: Deployment, clusterArn: string): Promise<readonly Finding[]> {
  const names = Object.keys(KAFKA_TOPICS) as KafkaTopicName[];
  const rights = 'kafka-cluster:Connect and kafka-cluster:DescribeTopic';
  const ifMissing = 'Run it again in a minute: MSK knows the cluster by its name, and not yet or no more by its ARN.';
  return asking({ name: 'topics', rights, ifMissing }, async () => {
    const path = `/v1/clusters/${encodeURIComponent(clusterArn)}/topics`;
    const answer = await aws.call({ service: 'kafka', path, query: { maxResults: '100' } });
    const { topics } = JSON.parse(answer) as { topics: Topic[] };
    return names.map((topicName) => {
      const topic = topics.find((one) => one.topicName === topicName);
      const wanted = {
        partitionCount: stage.kafka.partitions[topicName],
        replicationFactor: stage.kafka.replicationFactor,
      };
      return topic ? judgeTopic(topic, wanted) : absent(topicName, wanted, clusterArn);
    });
  });
}

type Wanted = Pick<Topic, 'partitionCount' | 'replicationFactor'>;

function judgeTopic({ topicName, outOfSyncReplicaCount = 0, ...topic }: Topic, wanted: Wanted): Finding {
  const found = `${topic.partitionCount} partitions, ${topic.replicationFactor} replicas`;
  const hasShape =
    topic.partitionCount === wanted.partitionCount && topic.replicationFactor === wanted.replicationFactor;
  if (!hasShape || outOfSyncReplicaCount === 0) {
    return judge(
      `topic ${topicName}`,
      hasShape,
      found,
      `lib/stages.ts says ${wanted.partitionCount} and ${wanted.replicationFactor}. Partitions are never changed in place, since the order of ` +
        'conversations would break: write there what is here, or destroy the stacks Realtime and Stream and deploy again.',
    );
  }
  return {
    name: `topic ${topicName}`,
    ok: false,
    found: `${found}, ${outOfSyncReplicaCount} of them behind`,
    advice:
      'A broker is away or too slow. Look at the cluster in the console of MSK, and run this again in some minutes.',
  };
}

function absent(topicName: KafkaTopicName, wanted: Wanted, clusterArn: string): Finding {
  const configs = Buffer.from(`retention.ms=${KAFKA_TOPICS[topicName].retentionMs}\n`).toString('base64');
  return {
    name: `topic ${topicName}`,
    ok: false,
    found: 'does not exist',
    advice:
      `Deploy the stack Stream; if that is complete, make the topic: aws kafka create-topic --cluster-arn ${clusterArn} --topic-name ${topicName} ` +
      `--partition-count ${wanted.partitionCount} --replication-factor ${wanted.replicationFactor} --configs ${configs}`,
  };
}
