import { Aws, Stack } from 'aws-cdk-lib';
import * as cassandra from 'aws-cdk-lib/aws-cassandra';
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import * as iam from 'aws-cdk-lib/aws-iam';
import { Construct } from 'constructs';
import { CQL_TABLES, type CqlTable } from '@parley/protocol/stores';
import { ENV } from '../../lambdas/runtime/env.ts';
import type { Stage } from '../stages.ts';
import { removalPolicyOf, type EncryptionKey } from './encryption-key.ts';
import type { ParleyFunction } from './parley-function.ts';
import { PrivateEndpoint } from './private-endpoint.ts';

const RIGHTS = {
  read: ['cassandra:Select'],
  /** Conditional writes read what stands there. */
  write: ['cassandra:Select', 'cassandra:Modify'],
} as const;

export interface MessageLogProps {
  readonly stage: Stage;
  readonly vpc: ec2.IVpc;
  readonly encryption: EncryptionKey;
}

/** The entries of every conversation, in Amazon Keyspaces, and the only way to them: an endpoint in the VPC. */
export class MessageLog extends Construct {
  private readonly keyspace: string;
  private readonly endpoint: PrivateEndpoint;
  private readonly tableArns: string[];
  /** Read by every driver when it connects. */
  private readonly systemArn: string;

  constructor(scope: Construct, id: string, { stage, vpc, encryption }: MessageLogProps) {
    super(scope, id);
    this.keyspace = `parley_${stage.name}`;
    const keyspace = new cassandra.CfnKeyspace(this, 'Keyspace', {
      keyspaceName: this.keyspace,
      tags: [{ key: 'parley:stage', value: stage.name }],
    });
    keyspace.applyRemovalPolicy(removalPolicyOf(stage));
    for (const [name, table] of Object.entries<CqlTable>(CQL_TABLES)) {
      this.addTable(name, table, encryption, stage).addResourceDependency(keyspace);
    }
    this.tableArns = Object.keys(CQL_TABLES).map((name) => this.arn(`keyspace/${this.keyspace}/table/${name}`));
    this.systemArn = this.arn('keyspace/system*');
    this.endpoint = new PrivateEndpoint(this, 'Endpoint', {
      stage,
      vpc,
      service: ec2.InterfaceVpcEndpointAwsService.KEYSPACES,
      policy: [
        ownAccount('Log', [...RIGHTS.write], this.tableArns),
        ownAccount('DriverSystemTables', [...RIGHTS.read], [this.systemArn]),
      ],
    });
  }

  /** Tells `fn` where the log is, opens the way, and allows to read or also to write. */
  bindTo(fn: ParleyFunction, access: keyof typeof RIGHTS): void {
    fn.setEnvironment(ENV.logKeyspace, this.keyspace);
    fn.setEnvironment(ENV.logEndpoint, `cassandra.${Aws.REGION}.${Aws.URL_SUFFIX}:${this.endpoint.port}`);
    fn.allow('Log', RIGHTS[access], this.tableArns);
    fn.allow('LogSystemTables', RIGHTS.read, [this.systemArn]);
    fn.mayReach('Log', this.endpoint.securityGroup, this.endpoint.port, 'CQL to Keyspaces');
  }

  private addTable(name: string, table: CqlTable, encryption: EncryptionKey, stage: Stage): cassandra.CfnTable {
    const column = ([columnName, columnType]: [string, string]) => ({ columnName, columnType });
    const resource = new cassandra.CfnTable(this, `Table${name}`, {
      keyspaceName: this.keyspace,
      tableName: name,
      partitionKeyColumns: Object.entries(table.partitionKey).map(column),
      clusteringKeyColumns: Object.entries(table.clusteringKey).map(([key, { type, order }]) => ({
        column: column([key, type]),
        orderBy: order,
      })),
      regularColumns: Object.entries(table.columns).map(column),
      billingMode: { mode: 'ON_DEMAND' },
      // The clocks of writers must decide nothing.
      clientSideTimestampsEnabled: false,
      defaultTimeToLive: table.ttlSeconds,
      pointInTimeRecoveryEnabled: true,
      encryptionSpecification: { encryptionType: 'CUSTOMER_MANAGED_KMS_KEY', kmsKeyIdentifier: encryption.key.keyArn },
      tags: [{ key: 'parley:stage', value: stage.name }],
    });
    resource.applyRemovalPolicy(removalPolicyOf(stage));
    return resource;
  }

  private arn(resource: string): string {
    const { partition, region, account } = Stack.of(this);
    return `arn:${partition}:cassandra:${region}:${account}:/${resource}`;
  }
}

function ownAccount(sid: string, actions: string[], resources: string[]): iam.PolicyStatement {
  return new iam.PolicyStatement({
    sid,
    principals: [new iam.AnyPrincipal()],
    actions,
    resources,
    conditions: { StringEquals: { 'aws:PrincipalAccount': Aws.ACCOUNT_ID } },
  });
}
