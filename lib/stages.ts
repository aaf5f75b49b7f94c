import { RetentionDays } from 'aws-cdk-lib/aws-logs';
import type { KafkaTopicName } from '@parley/protocol/stores';
import type { FunctionName } from './functions.ts';

/** All that two deployments of Parley may differ in. */
export interface Stage {
  /** In every name: lower-case letters and digits, at most 16. */
  readonly name: string;
  /** Whether what users said outlives a deletion of the stacks: retained, protected against deletion and termination. */
  readonly keepData: boolean;
  readonly identity: {
    /** `iss` of the tokens: an OIDC issuer that serves `/.well-known/jwks.json`. */
    readonly issuer: string;
    /** `aud` of the tokens. */
    readonly audience: string;
  };
  /** Origins that browsers may connect from, besides the web client's own. */
  readonly allowedOrigins: readonly string[];
  readonly logLevel: 'DEBUG' | 'INFO' | 'WARN' | 'ERROR';
  readonly logRetention: RetentionDays;
  readonly network: {
    readonly cidr: string;
    /** Availability zones with an interface endpoint of each service: one is cheaper, three outlive a zone. */
    readonly endpointZones: 1 | 2 | 3;
  };
  readonly kafka: {
    readonly version: string;
    readonly instanceType: string;
    /** A multiple of `zones`. */
    readonly brokers: number;
    readonly zones: 2 | 3;
    readonly volumeGiB: number;
    readonly replicationFactor: number;
    readonly minInSyncReplicas: number;
    readonly monitoring: 'DEFAULT' | 'PER_BROKER' | 'PER_TOPIC_PER_BROKER' | 'PER_TOPIC_PER_PARTITION';
    /** Never changed in place: more partitions move keys to others, and the order of a conversation breaks. */
    readonly partitions: Readonly<Record<KafkaTopicName, number>>;
    readonly pollers: Pollers;
  };
  /** Brakes on the bill of the cache, not its size: it has none. */
  readonly cache: { readonly dataMaxGb: number; readonly requestUnitsPerSecondMax: number };
  /** Of the whole API, callbacks not counted. */
  readonly throttle: { readonly requestsPerSecond: number; readonly burst: number };
  /** Concurrency kept free for a function, and its ceiling. Together at most the account's limit less 100. */
  readonly reservedConcurrency: Readonly<Partial<Record<FunctionName, number>>>;
  /** API Gateway writes logs by one role per account and Region: `create` sets it, `existing` leaves it alone. */
  readonly apiGatewayAccountRole: 'create' | 'existing';
}

/**
 * Who reads the topics for the consumers. `on demand` costs nothing at rest, needs endpoints of Lambda and STS in the VPC, and cannot bound
 * retries. `provisioned` keeps as many pollers as written here, always: growing and shrinking would interrupt the stream.
 */
export type Pollers =
  | { readonly mode: 'on demand' }
  | {
      readonly mode: 'provisioned';
      readonly perTopic: number;
      readonly retriesMax: number;
      /** Topics of one group share their pollers, and the bill. What is urgent stands apart from what may wait. */
      readonly groupOf: Readonly<Record<KafkaTopicName, string>>;
    };

/** What a stage is given from outside. */
export type StageInput = Pick<Stage, 'identity' | 'allowedOrigins'>;

export const STAGES = {
  /** To try it out, or for a small team: two small brokers, everything goes when the stacks are deleted. */
  small: (input: StageInput): Stage => ({
    name: 'small',
    keepData: false,
    ...input,
    logLevel: 'INFO',
    logRetention: RetentionDays.ONE_MONTH,
    network: { cidr: '10.62.0.0/16', endpointZones: 1 },
    kafka: {
      // No KRaft on t3.
      version: '3.9.x',
      instanceType: 'kafka.t3.small',
      brokers: 2,
      zones: 2,
      volumeGiB: 10,
      replicationFactor: 2,
      // A broker may be away: what matters is in the log.
      minInSyncReplicas: 1,
      monitoring: 'DEFAULT',
      partitions: { 'conversation-events': 6, signals: 3 },
      pollers: { mode: 'on demand' },
    },
    cache: { dataMaxGb: 1, requestUnitsPerSecondMax: 10_000 },
    throttle: { requestsPerSecond: 500, burst: 1_000 },
    // New accounts have ten in all.
    reservedConcurrency: {},
    apiGatewayAccountRole: 'create',
  }),
  prod: (input: StageInput): Stage => ({
    name: 'prod',
    keepData: true,
    ...input,
    logLevel: 'INFO',
    logRetention: RetentionDays.THIRTEEN_MONTHS,
    network: { cidr: '10.63.0.0/16', endpointZones: 3 },
    kafka: {
      version: '3.9.x.kraft',
      instanceType: 'kafka.m7g.large',
      brokers: 3,
      zones: 3,
      volumeGiB: 100,
      replicationFactor: 3,
      minInSyncReplicas: 2,
      monitoring: 'PER_TOPIC_PER_BROKER',
      partitions: { 'conversation-events': 48, signals: 12 },
      pollers: {
        mode: 'provisioned',
        perTopic: 1,
        retriesMax: 10,
        groupOf: { 'conversation-events': 'deliver', signals: 'rest' },
      },
    },
    cache: { dataMaxGb: 20, requestUnitsPerSecondMax: 100_000 },
    throttle: { requestsPerSecond: 8_000, burst: 4_000 },
    reservedConcurrency: {
      authorizer: 50,
      connect: 50,
      disconnect: 50,
      send: 150,
      heartbeat: 150,
      receipt: 50,
      sync: 100,
      conversation: 50,
      deliver: 150,
      repair: 20,
    },
    apiGatewayAccountRole: 'create',
  }),
} as const satisfies Record<string, (input: StageInput) => Stage>;

export type StageName = keyof typeof STAGES;
