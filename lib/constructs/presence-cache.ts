import { Lazy, Stack } from 'aws-cdk-lib';
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import * as elasticache from 'aws-cdk-lib/aws-elasticache';
import { Construct } from 'constructs';
import { CACHE_KEYS, type CacheKeyFamily } from '@parley/protocol/stores';
import { ENV } from '../../lambdas/runtime/env.ts';
import type { Stage } from '../stages.ts';
import type { EncryptionKey } from './encryption-key.ts';
import type { ParleyFunction } from './parley-function.ts';

const PORT = 6379;

/** Data commands on the user's own keys, scripts, transactions, and what a cluster client needs to find the nodes. Nothing that lists, flushes or administers. */
const COMMANDS = [
  '-@all',
  '+@read',
  '+@write',
  '+@connection',
  '+eval',
  '+evalsha',
  '+script|load',
  '+multi',
  '+exec',
  '-@dangerous',
  '-scan',
  '-dbsize',
  '-randomkey',
  '+info',
  '+cluster|info',
  '+cluster|nodes',
  '+cluster|shards',
  '+cluster|slots',
].join(' ');

export interface PresenceCacheProps {
  readonly stage: Stage;
  readonly vpc: ec2.IVpc;
  readonly encryption: EncryptionKey;
}

/** Presence, watchers, rates, cached heads, in serverless Valkey. Nothing in it is the only copy of anything, so nothing is backed up. */
export class PresenceCache extends Construct {
  private readonly cache: elasticache.CfnServerlessCache;
  private readonly securityGroup: ec2.SecurityGroup;
  private readonly users: elasticache.CfnUser[] = [];

  constructor(
    scope: Construct,
    id: string,
    private readonly props: PresenceCacheProps,
  ) {
    super(scope, id);
    const { stage, vpc, encryption } = props;
    this.securityGroup = new ec2.SecurityGroup(this, 'SecurityGroup', {
      vpc,
      description: `Parley ${stage.name}: presence cache`,
      allowAllOutbound: false,
    });
    this.securityGroup.addEgressRule(ec2.Peer.ipv4(stage.network.cidr), ec2.Port.tcp(PORT), 'answers only');
    // With Valkey a group needs no default user: whoever has no user of its own cannot connect.
    const group = new elasticache.CfnUserGroup(this, 'Users', {
      engine: 'valkey',
      userGroupId: `parley-${stage.name}`,
      userIds: Lazy.list({ produce: () => this.users.map(({ ref }) => ref) }),
    });
    this.cache = new elasticache.CfnServerlessCache(this, 'Cache', {
      serverlessCacheName: `parley-${stage.name}`,
      description: `Parley ${stage.name}: presence, watchers, rates`,
      engine: 'valkey',
      majorEngineVersion: '8',
      kmsKeyId: encryption.key.keyArn,
      userGroupId: group.ref,
      securityGroupIds: [this.securityGroup.securityGroupId],
      subnetIds: vpc.isolatedSubnets.map(({ subnetId }) => subnetId),
      snapshotRetentionLimit: 0,
      cacheUsageLimits: {
        dataStorage: { maximum: stage.cache.dataMaxGb, unit: 'GB' },
        ecpuPerSecond: { maximum: stage.cache.requestUnitsPerSecondMax },
      },
    });
  }

  /** Gives `fn` a user of its own that may touch just those families of keys, tells it where the cache is, and opens the way. */
  bindTo(fn: ParleyFunction, families: readonly CacheKeyFamily[]): void {
    const user = this.addUser(fn, families);
    fn.setEnvironment(ENV.presenceEndpoint, `${this.cache.attrEndpointAddress}:${this.cache.attrEndpointPort}`);
    fn.setEnvironment(ENV.presenceCache, this.cache.serverlessCacheName);
    fn.setEnvironment(ENV.presenceUser, user.userName);
    fn.allow(
      'Presence',
      ['elasticache:Connect'],
      [this.arn('serverlesscache', this.cache.serverlessCacheName), this.arn('user', user.userId)],
    );
    fn.mayReach('Presence', this.securityGroup, PORT, 'Valkey');
  }

  private addUser(fn: ParleyFunction, families: readonly CacheKeyFamily[]): elasticache.CfnUser {
    const name = `parley-${this.props.stage.name}-${fn.name}`;
    const keys = families.map((family) => `~${CACHE_KEYS[family]}*`).join(' ');
    const user = new elasticache.CfnUser(this, `User-${fn.name}`, {
      engine: 'valkey',
      // IAM authentication asks for both to be the same.
      userId: name,
      userName: name,
      authenticationMode: { Type: 'iam' },
      accessString: `on ${keys} ${COMMANDS}`,
    });
    this.users.push(user);
    return user;
  }

  private arn(kind: 'serverlesscache' | 'user', name: string): string {
    const { partition, region, account } = Stack.of(this);
    return `arn:${partition}:elasticache:${region}:${account}:${kind}:${name}`;
  }
}
