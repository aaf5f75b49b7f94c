import { Aws } from 'aws-cdk-lib';
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import * as iam from 'aws-cdk-lib/aws-iam';
import { Construct } from 'constructs';
import { ENV } from '../../lambdas/runtime/env.ts';
import type { Stage } from '../stages.ts';
import type { EventStream } from './event-stream.ts';
import type { ParleyFunction } from './parley-function.ts';
import { PrivateEndpoint } from './private-endpoint.ts';

export interface InvocationEndpointsProps {
  readonly stage: Stage;
  readonly vpc: ec2.IVpc;
  readonly events: EventStream;
  /** The only function that can be invoked from the VPC. */
  readonly target: ParleyFunction;
}

/** The way from the VPC to one function: for a caller in it, and for pollers that stand in it. */
export class InvocationEndpoints extends Construct {
  private readonly lambda: PrivateEndpoint;

  constructor(
    scope: Construct,
    id: string,
    private readonly props: InvocationEndpointsProps,
  ) {
    super(scope, id);
    const { stage, vpc, target } = props;
    const byPollers =
      stage.kafka.pollers.mode === 'on demand' ? [new iam.ServicePrincipal('lambda.amazonaws.com')] : [];
    const { functionArn } = target.function;
    const { LAMBDA, STS } = ec2.InterfaceVpcEndpointAwsService;
    this.lambda = new PrivateEndpoint(this, 'Lambda', {
      stage,
      vpc,
      service: LAMBDA,
      policy: [
        new iam.PolicyStatement({
          sid: 'OwnAccount',
          principals: [new iam.AnyPrincipal()],
          actions: ['lambda:InvokeFunction'],
          resources: [functionArn],
          conditions: { StringEquals: { 'aws:PrincipalAccount': Aws.ACCOUNT_ID } },
        }),
        ...byPollers.map((principal) => serviceOnly(principal, 'lambda:InvokeFunction', functionArn)),
      ],
    });
    for (const principal of byPollers) {
      const sts = new PrivateEndpoint(this, 'Sts', {
        stage,
        vpc,
        service: STS,
        policy: [serviceOnly(principal, 'sts:AssumeRole', target.role.roleArn)],
      });
      for (const [name, { securityGroup }] of Object.entries({ Lambda: this.lambda, Sts: sts })) {
        this.admitPollers(`PollersTo${name}`, securityGroup);
      }
    }
  }

  /** Lets `fn` invoke the target and wait for its answer. */
  bindTo(fn: ParleyFunction): void {
    const { target } = this.props;
    fn.setEnvironment(ENV.deliverFunction, target.function.functionName);
    fn.allow('InvokeDeliver', ['lambda:InvokeFunction'], [target.function.functionArn]);
    fn.mayReach('Lambda', this.lambda.securityGroup, this.lambda.port, 'Lambda Invoke');
  }

  /** On-demand pollers stand in the brokers' group. */
  private admitPollers(id: string, endpoint: ec2.SecurityGroup): void {
    new ec2.CfnSecurityGroupIngress(this, id, {
      ipProtocol: 'tcp',
      fromPort: this.lambda.port,
      toPort: this.lambda.port,
      description: 'pollers of event source mappings',
      groupId: endpoint.securityGroupId,
      sourceSecurityGroupId: this.props.events.securityGroup.securityGroupId,
    });
  }
}

function serviceOnly(principal: iam.ServicePrincipal, action: string, resource: string): iam.PolicyStatement {
  return new iam.PolicyStatement({ sid: 'Pollers', principals: [principal], actions: [action], resources: [resource] });
}
