import { Aws, Fn, Stack, type StackProps } from 'aws-cdk-lib';
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import * as iam from 'aws-cdk-lib/aws-iam';
import type { Construct } from 'constructs';
import type { Stage } from './stages.ts';

const ZONES = 3;

/**
 * A VPC without any way out: isolated subnets only, no NAT, no internet gateway. DynamoDB and S3 are reached through gateway endpoints, and
 * only for tables and buckets of this account; every other service through an interface endpoint, which the stack of its resources makes.
 */
export class NetworkStack extends Stack {
  readonly vpc: ec2.Vpc;

  constructor(scope: Construct, id: string, { stage, ...props }: StackProps & { readonly stage: Stage }) {
    super(scope, id, props);
    this.vpc = new ec2.Vpc(this, 'Vpc', {
      ipAddresses: ec2.IpAddresses.cidr(stage.network.cidr),
      // Without an account the number of zones is unknown, and CDK would take two.
      availabilityZones: Array.from({ length: ZONES }, (_, i) => Fn.select(i, Fn.getAzs())),
      natGateways: 0,
      createInternetGateway: false,
      subnetConfiguration: [{ name: 'Isolated', subnetType: ec2.SubnetType.PRIVATE_ISOLATED, cidrMask: 20 }],
      // Nothing is ever put into the default group; closing it would take a function with rights of its own.
      restrictDefaultSecurityGroup: false,
    });
    const { DYNAMODB, S3 } = ec2.GatewayVpcEndpointAwsService;
    this.vpc.addGatewayEndpoint('DynamoDb', { service: DYNAMODB }).addToPolicy(ownAccountOnly('dynamodb:*'));
    this.vpc.addGatewayEndpoint('S3', { service: S3 }).addToPolicy(ownAccountOnly('s3:*'));
  }
}

/** The policy names no resource, or this stack would need the stacks that need it. */
function ownAccountOnly(actions: string): iam.PolicyStatement {
  return new iam.PolicyStatement({
    sid: 'OwnAccountOnly',
    principals: [new iam.AnyPrincipal()],
    actions: [actions],
    resources: ['*'],
    conditions: { StringEquals: { 'aws:PrincipalAccount': Aws.ACCOUNT_ID, 'aws:ResourceAccount': Aws.ACCOUNT_ID } },
  });
}
