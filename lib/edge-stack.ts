import { CfnOutput, Stack, type StackProps } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import { WebClient } from './constructs/web-client.ts';
import type { Stage } from './stages.ts';

/** What browsers load. Reads nothing of the realtime stack, which reads it. */
export class EdgeStack extends Stack {
  readonly web: WebClient;

  constructor(scope: Construct, id: string, { stage, ...props }: StackProps & { readonly stage: Stage }) {
    super(scope, id, props);
    this.web = new WebClient(this, 'WebClient', stage);
    new CfnOutput(this, 'WebClientUrl', { value: this.web.origin });
    new CfnOutput(this, 'WebClientBucket', { value: this.web.bucket.bucketName });
  }
}
