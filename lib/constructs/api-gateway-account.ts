import { Aws, RemovalPolicy } from 'aws-cdk-lib';
import * as apigateway from 'aws-cdk-lib/aws-apigateway';
import * as iam from 'aws-cdk-lib/aws-iam';
import { Construct } from 'constructs';

const LOG_ACTIONS = [
  'logs:CreateLogStream',
  'logs:DescribeLogGroups',
  'logs:DescribeLogStreams',
  'logs:FilterLogEvents',
  'logs:GetLogEvents',
  'logs:PutLogEvents',
];

/** The role by which API Gateway writes logs: one per account and Region, for all APIs. So it stays when Parley goes. */
export class ApiGatewayAccount extends Construct {
  readonly account: apigateway.CfnAccount;

  constructor(scope: Construct, id: string) {
    super(scope, id);
    const policy = new iam.ManagedPolicy(this, 'Policy', {
      description: 'API Gateway writes the logs of APIs.',
      statements: [
        // The access logs of other APIs of the account may have any name.
        new iam.PolicyStatement({
          sid: 'Logs',
          actions: LOG_ACTIONS,
          resources: [`arn:${Aws.PARTITION}:logs:${Aws.REGION}:${Aws.ACCOUNT_ID}:log-group:*`],
        }),
      ],
    });
    const role = new iam.Role(this, 'Role', {
      assumedBy: new iam.ServicePrincipal('apigateway.amazonaws.com'),
      description: 'API Gateway writes the logs of APIs.',
      managedPolicies: [policy],
    });
    this.account = new apigateway.CfnAccount(this, 'Account', { cloudWatchRoleArn: role.roleArn });
    for (const kept of [policy, role, this.account]) kept.applyRemovalPolicy(RemovalPolicy.RETAIN);
  }
}
