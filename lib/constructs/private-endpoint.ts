import * as ec2 from 'aws-cdk-lib/aws-ec2';
import type * as iam from 'aws-cdk-lib/aws-iam';
import { Construct } from 'constructs';
import type { Stage } from '../stages.ts';

export interface PrivateEndpointProps {
  readonly stage: Stage;
  readonly vpc: ec2.IVpc;
  readonly service: ec2.InterfaceVpcEndpointAwsService;
  /** All that may be done through it. */
  readonly policy: readonly iam.PolicyStatement[];
}

/** The way from the VPC to one AWS service, for named calls only. Open to nobody: whoever may reach it adds the rule itself. */
export class PrivateEndpoint extends Construct {
  readonly endpoint: ec2.InterfaceVpcEndpoint;
  readonly securityGroup: ec2.SecurityGroup;
  readonly port: number;

  constructor(scope: Construct, id: string, { stage, vpc, service, policy }: PrivateEndpointProps) {
    super(scope, id);
    this.port = service.port;
    this.securityGroup = new ec2.SecurityGroup(this, 'SecurityGroup', {
      vpc,
      description: `Parley ${stage.name}: endpoint of ${service.shortName}`,
      allowAllOutbound: false,
    });
    // An endpoint never opens a connection. Without a rule CDK would write one for a made-up ICMP range.
    this.securityGroup.addEgressRule(ec2.Peer.ipv4(stage.network.cidr), ec2.Port.tcp(this.port), 'answers only');
    this.endpoint = new ec2.InterfaceVpcEndpoint(this, 'Endpoint', {
      vpc,
      service,
      privateDnsEnabled: true,
      open: false,
      securityGroups: [this.securityGroup],
      subnets: { subnets: vpc.isolatedSubnets.slice(0, stage.network.endpointZones) },
    });
    for (const statement of policy) this.endpoint.addToPolicy(statement);
  }
}
