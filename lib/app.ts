import { App } from 'aws-cdk-lib';

/** Behaviours of CDK that we choose, given in code so that every way of synthesizing gets the same ones. */
const FEATURE_FLAGS = {
  // They name folders of the machine that synthesizes; `CDK_DEBUG=true` brings them back.
  'aws:cdk:disable-creation-stack-traces': true,
  '@aws-cdk/core:checkSecretUsage': true,
  '@aws-cdk/core:validateSnapshotRemovalPolicy': true,
  // A stack that others read cannot lose what they read.
  '@aws-cdk/core:defaultCrossStackReferences': 'strong',
  // Findings of the offline template validation are errors.
  '@aws-cdk/core:validateAgainstDefaultRules': true,
  '@aws-cdk/aws-iam:minimizePolicies': false,
  '@aws-cdk/aws-lambda:recognizeLayerVersion': true,
  '@aws-cdk/aws-s3:createDefaultLoggingPolicy': true,
  '@aws-cdk/aws-s3:publicAccessBlockedByDefault': true,
  '@aws-cdk/aws-s3:serverAccessLogsUseBucketPolicy': true,
  '@aws-cdk/aws-kms:reduceCrossAccountRegionPolicyScope': true,
} as const;

/** An empty app that writes to `outdir`. The same sources give the same files, on any machine: no stack traces, no tracking resource. */
export function newApp(outdir: string): App {
  return new App({ context: FEATURE_FLAGS, outdir, analyticsReporting: false, stackTraces: false });
}
