import { Aws } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import { Construct } from 'constructs';

const INTERFACE_ACTIONS = ['ec2:CreateNetworkInterface', 'ec2:DeleteNetworkInterface'];
const ADDRESS_ACTIONS = ['ec2:AssignPrivateIpAddresses', 'ec2:UnassignPrivateIpAddresses'];

/**
 * What the Lambda service does with a function's role before any code runs: network interfaces. EC2 knows no resource that this could be
 * limited to, so these are the only rights on `*`; a Deny keeps the function's own code from using them.
 */
export class RuntimePolicies extends Construct {
  /** For functions in the VPC. Keyspaces lists its nodes by the caller's right to describe endpoints and interfaces. */
  readonly vpc: iam.ManagedPolicy;
  /** For functions that Kafka pollers invoke: the pollers stand in the brokers' subnets. */
  readonly pollers: iam.ManagedPolicy;

  constructor(scope: Construct, id: string) {
    super(scope, id);
    this.vpc = new iam.ManagedPolicy(this, 'Vpc', {
      description: 'Network interfaces of functions in the VPC.',
      statements: [
        allow('NetworkInterfaces', [
          ...INTERFACE_ACTIONS,
          ...ADDRESS_ACTIONS,
          'ec2:DescribeNetworkInterfaces',
          'ec2:DescribeSubnets',
          'ec2:DescribeVpcEndpoints',
        ]),
        notByCode([...INTERFACE_ACTIONS, ...ADDRESS_ACTIONS]),
      ],
    });
    this.pollers = new iam.ManagedPolicy(this, 'Pollers', {
      description: 'Network interfaces of the pollers that read Kafka for functions.',
      statements: [
        allow('NetworkInterfaces', [
          ...INTERFACE_ACTIONS,
          'ec2:DescribeNetworkInterfaces',
          'ec2:DescribeSubnets',
          'ec2:DescribeVpcs',
          'ec2:DescribeSecurityGroups',
        ]),
        notByCode(INTERFACE_ACTIONS),
      ],
    });
  }
}

function allow(sid: string, actions: string[]): iam.PolicyStatement {
  return new iam.PolicyStatement({ sid, actions, resources: ['*'] });
}

/** The condition's key is present only in calls that function code makes. */
function notByCode(actions: string[]): iam.PolicyStatement {
  const functions = `arn:${Aws.PARTITION}:lambda:${Aws.REGION}:${Aws.ACCOUNT_ID}:function:*`;
  return new iam.PolicyStatement({
    sid: 'NotByFunctionCode',
    effect: iam.Effect.DENY,
    actions,
    resources: ['*'],
    conditions: { ArnLike: { 'lambda:SourceFunctionArn': functions } },
  });
}
