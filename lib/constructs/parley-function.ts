import { Duration } from 'aws-cdk-lib';
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import { Construct } from 'constructs';
import { ENV } from '../../lambdas/runtime/env.ts';
import { FUNCTIONS, type FunctionName, type FunctionSettings } from '../functions.ts';
import type { Stage } from '../stages.ts';
import type { EncryptionKey } from './encryption-key.ts';

/** Gives a function's bundle. */
export type CodeOf = (name: FunctionName) => lambda.Code;

export interface ParleyFunctionProps {
  readonly stage: Stage;
  readonly codeOf: CodeOf;
  readonly logsKey: EncryptionKey;
  /** For functions whose settings say `vpc`. */
  readonly vpc?: ec2.IVpc;
  /** Policies shared with other functions, beside its own. */
  readonly policies?: readonly iam.IManagedPolicy[];
}

/** A deployed function with a role, a managed policy, a log group and, in the VPC, a security group of its own. It may do nothing but what `allow` says. */
export class ParleyFunction extends Construct {
  readonly function: lambda.Function;
  readonly role: iam.Role;
  private readonly policy: iam.ManagedPolicy;
  private readonly securityGroup: ec2.SecurityGroup | undefined;
  private readonly statements = new Map<string, iam.PolicyStatement>();

  constructor(
    scope: Construct,
    readonly name: FunctionName,
    { stage, codeOf, logsKey, vpc, policies = [] }: ParleyFunctionProps,
  ) {
    super(scope, name.charAt(0).toUpperCase() + name.slice(1));
    const settings: FunctionSettings = FUNCTIONS[name];
    const concurrency = stage.reservedConcurrency[name];
    const logGroup = logsKey.addLogGroup(this, 'Logs');
    this.policy = new iam.ManagedPolicy(this, 'Policy', {
      description: `Parley ${stage.name}: all that ${name} may do.`,
    });
    this.role = new iam.Role(this, 'Role', {
      assumedBy: new iam.ServicePrincipal('lambda.amazonaws.com'),
      description: `Parley ${stage.name}: ${name}`,
      managedPolicies: [this.policy, ...policies],
    });
    this.securityGroup = settings.network === 'vpc' && vpc ? this.makeSecurityGroup(stage, vpc) : undefined;
    this.function = new lambda.Function(this, 'Function', {
      functionName: functionNameOf(stage, name),
      description: settings.description,
      runtime: lambda.Runtime.NODEJS_24_X,
      architecture: lambda.Architecture.ARM_64,
      handler: 'index.handler',
      code: codeOf(name),
      memorySize: settings.memoryMiB,
      timeout: Duration.seconds(settings.timeoutSeconds),
      // CDK would add inline policies to a role that can be changed.
      role: this.role.withoutPolicyUpdates(),
      logGroup,
      loggingFormat: lambda.LoggingFormat.JSON,
      environment: { [ENV.logLevel]: stage.logLevel },
      ...(concurrency !== undefined && { reservedConcurrentExecutions: concurrency }),
      ...(this.securityGroup && {
        vpc,
        vpcSubnets: { subnetType: ec2.SubnetType.PRIVATE_ISOLATED },
        securityGroups: [this.securityGroup],
      }),
    });
    this.allow('Logs', ['logs:CreateLogStream', 'logs:PutLogEvents'], [`${logGroup.logGroupRef.logGroupArn}:*`]);
  }

  /** Adds one statement to the function's policy. `sid` says what for, once. */
  allow(sid: string, actions: readonly string[], resources: readonly string[], conditions?: iam.Conditions): void {
    if (this.statements.has(sid)) throw new Error(`${this.name}: ${sid} is allowed twice`);
    const statement = new iam.PolicyStatement({
      sid,
      actions: [...actions],
      resources: [...resources],
      ...(conditions && { conditions }),
    });
    this.statements.set(sid, statement);
    this.policy.addStatements(statement);
  }

  /** Lets the function use a key, and only through the service that holds what the key encrypts. Given again, the actions add up. */
  allowKey(sid: string, actions: readonly string[], keyArn: string, viaService: string): void {
    const present = this.statements.get(sid);
    if (present) present.addActions(...actions);
    else this.allow(sid, actions, [keyArn], { StringEquals: { 'kms:ViaService': viaService } });
  }

  setEnvironment(name: (typeof ENV)[keyof typeof ENV], value: string): void {
    this.function.addEnvironment(name, value);
  }

  /** Opens one port from this function to `target`. The rules stand in the function's stack, so that no other stack needs this one. */
  mayReach(id: string, target: ec2.ISecurityGroup, port: number, description: string): void {
    if (!this.securityGroup) throw new Error(`${this.name}: stands in no VPC, so it cannot reach ${id}`);
    const rule = { ipProtocol: 'tcp', fromPort: port, toPort: port, description };
    new ec2.CfnSecurityGroupEgress(this, `${id}Egress`, {
      ...rule,
      groupId: this.securityGroup.securityGroupId,
      destinationSecurityGroupId: target.securityGroupId,
    });
    new ec2.CfnSecurityGroupIngress(this, `${id}Ingress`, {
      ...rule,
      groupId: target.securityGroupId,
      sourceSecurityGroupId: this.securityGroup.securityGroupId,
    });
  }

  private makeSecurityGroup(stage: Stage, vpc: ec2.IVpc): ec2.SecurityGroup {
    const securityGroup = new ec2.SecurityGroup(this, 'SecurityGroup', {
      vpc,
      description: `Parley ${stage.name}: ${this.name}`,
      allowAllOutbound: false,
    });
    // A gateway endpoint has no security group, and its prefix list no name that a template could know.
    securityGroup.addEgressRule(
      ec2.Peer.anyIpv4(),
      ec2.Port.tcp(443),
      'DynamoDB by its gateway endpoint: the VPC has no other way out',
    );
    return securityGroup;
  }
}

export function functionNameOf(stage: Stage, name: FunctionName): string {
  return `parley-${stage.name}-${name}`;
}
