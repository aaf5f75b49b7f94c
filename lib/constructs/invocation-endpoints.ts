import { Aws } from 'aws-cdk-lib';
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import * as iam from 'aws-cdk-lib/aws-iam';
import { Construct } from 'constructs';
import { ENV } from '../../lambdas/runtime/env.ts';
import type { Stage } from '../stages.ts';
import type { EventStream } from './event-stream.ts';
import type { ParleyFunction } from './parley-function.ts';
import { PrivateEndpoint } from './private-endpoint.ts';

const INVOKE_SIDS = { deliver: 'InvokeDeliver', repair: 'InvokeRepair' } as const;
const VARIABLES = { deliver: ENV.deliverFunction, repair: ENV.repairFunction } as const;

export interface InvocationEndpointsProps {
  readonly stage: Stage;
  readonly vpc: ec2.IVpc;
  readonly events: EventStream;
  /** The only functions that can be invoked from the VPC; `deliver` also by its pollers. */
  readonly targets: { readonly deliver: ParleyFunction; readonly repair: ParleyFunction };
}

/** The way from the VPC to two functions: for callers in it, and for pollers that stand in it. */
export class InvocationEndpoints extends Construct {
  private readonly lambda: PrivateEndpoint;

  constructor(
    scope: Construct,
    id: string,
    private readonly props: InvocationEndpointsProps,
  ) {
    super(scope, id);
    const { stage, vpc, targets } = props;
    const { deliver, repair } = targets;
    const byPollers =
      stage.kafka.pollers.mode === 'on demand' ? [new iam.ServicePrincipal('lambda.amazonaws.com')] : [];
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
          resources: [deliver.function.functionArn, repair.function.functionArn],
          conditions: { StringEquals: { 'aws:PrincipalAccount': Aws.ACCOUNT_ID } },
        }),
        ...byPollers.map((principal) => serviceOnly(principal, 'lambda:InvokeFunction', deliver.function.functionArn)),
      ],
    });
    for (const principal of byPollers) {
      const sts = new PrivateEndpoint(this, 'Sts', {
        stage,
        vpc,
        service: STS,
        policy: [serviceOnly(principal, 'sts:AssumeRole', deliver.role.roleArn)],
      });
      for (const [name, { securityGroup }] of Object.entries({ Lambda: this.lambda, Sts: sts })) {
        this.admitPollers(`PollersTo${name}`, securityGroup);
      }
    }
  }

  /** Lets `fn` invoke one of the functions. */
  bindTo(fn: ParleyFunction, target: keyof InvocationEndpointsProps['targets']): void {
    const { function: invoked } = this.props.targets[target];
    fn.setEnvironment(VARIABLES[target], invoked.functionName);
    fn.allow(INVOKE_SIDS[target], ['lambda:InvokeFunction'], [invoked.functionArn]);
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
