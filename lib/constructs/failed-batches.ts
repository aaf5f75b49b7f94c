import { Aws, Duration } from 'aws-cdk-lib';
import * as s3 from 'aws-cdk-lib/aws-s3';
import { Construct } from 'constructs';
import type { Stage } from '../stages.ts';
import { removalPolicyOf, type EncryptionKey } from './encryption-key.ts';
import type { ParleyFunction } from './parley-function.ts';

/** No longer than it takes to look into a crash. */
const KEPT_DAYS = 14;

export interface FailedBatchesProps {
  readonly stage: Stage;
  readonly fn: ParleyFunction;
  /** Its own where batches hold what users said. */
  readonly encryption: EncryptionKey;
}

/** Takes the batches that crashed a function, from the mapping that invokes it. */
export class FailedBatches extends Construct {
  /** For `destinationConfig` of the mapping. */
  readonly arn: string;
  readonly name: string;

  constructor(scope: Construct, id: string, { stage, fn, encryption: { key } }: FailedBatchesProps) {
    super(scope, id);
    const bucket = new s3.Bucket(this, 'Bucket', {
      blockPublicAccess: s3.BlockPublicAccess.BLOCK_ALL,
      encryption: s3.BucketEncryption.KMS,
      encryptionKey: key,
      bucketKeyEnabled: true,
      enforceSSL: true,
      minimumTLSVersion: 1.2,
      objectOwnership: s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
      lifecycleRules: [{ expiration: Duration.days(KEPT_DAYS), abortIncompleteMultipartUploadAfter: Duration.days(1) }],
      removalPolicy: removalPolicyOf(stage),
    });
    this.arn = bucket.bucketArn;
    this.name = bucket.bucketName;
    // Lambda chooses the names, below this prefix.
    fn.allow('FailedBatches', ['s3:PutObject'], [`${bucket.bucketArn}/aws/lambda/*`]);
    fn.allow('FailedBucket', ['s3:ListBucket'], [bucket.bucketArn]);
    fn.allowKey('FailedKey', ['kms:GenerateDataKey'], key.keyArn, `s3.${Aws.REGION}.amazonaws.com`);
  }
}
