import { Aws, Duration, RemovalPolicy } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as kms from 'aws-cdk-lib/aws-kms';
import * as logs from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';
import type { Stage } from '../stages.ts';

/** A customer-managed key for one class of data, so that no grant opens another. Its rights are given by IAM policies. */
export class EncryptionKey extends Construct {
  readonly key: kms.Key;
  private logsAllowed = false;

  constructor(
    scope: Construct,
    id: string,
    private readonly stage: Stage,
    description: string,
  ) {
    super(scope, id);
    this.key = new kms.Key(this, 'Key', {
      description: `Parley ${stage.name}: ${description}`,
      enableKeyRotation: true,
      pendingWindow: stage.keepData ? Duration.days(30) : Duration.days(7),
      removalPolicy: removalPolicyOf(stage),
    });
  }

  /** A log group under this key. Without a name CloudFormation makes one: a fixed one would stand in the way of a second deployment. */
  addLogGroup(scope: Construct, id: string, logGroupName?: string): logs.LogGroup {
    this.allowLogs();
    return new logs.LogGroup(scope, id, {
      ...(logGroupName !== undefined && { logGroupName }),
      encryptionKey: this.key,
      retention: this.stage.logRetention,
      removalPolicy: removalPolicyOf(this.stage),
    });
  }

  private allowLogs(): void {
    if (this.logsAllowed) return;
    this.logsAllowed = true;
    const groups = `arn:${Aws.PARTITION}:logs:${Aws.REGION}:${Aws.ACCOUNT_ID}:log-group:*`;
    this.key.addToResourcePolicy(
      new iam.PolicyStatement({
        sid: 'LogsOfThisAccount',
        principals: [new iam.ServicePrincipal(`logs.${Aws.REGION}.amazonaws.com`)],
        actions: ['kms:Encrypt*', 'kms:Decrypt*', 'kms:ReEncrypt*', 'kms:GenerateDataKey*', 'kms:Describe*'],
        resources: ['*'],
        conditions: { ArnLike: { 'kms:EncryptionContext:aws:logs:arn': groups } },
      }),
    );
  }
}

export function removalPolicyOf({ keepData }: Stage): RemovalPolicy {
  return keepData ? RemovalPolicy.RETAIN : RemovalPolicy.DESTROY;
}
