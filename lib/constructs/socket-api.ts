import { Aws, Stack, type CfnResource } from 'aws-cdk-lib';
import * as apigateway from 'aws-cdk-lib/aws-apigatewayv2';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import { Construct } from 'constructs';
import { ACTION_NAMES, ACTIONS, type ActionFunction } from '@parley/protocol';
import { ENV } from '../../lambdas/runtime/env.ts';
import type { Stage } from '../stages.ts';
import type { ApiGatewayAccount } from './api-gateway-account.ts';
import type { EncryptionKey } from './encryption-key.ts';
import type { ParleyFunction } from './parley-function.ts';

/** What an access log says of a frame or a handshake: never its query, headers or body, which hold tokens and texts. */
const ACCESS_LOG = {
  requestId: '$context.requestId',
  connectionId: '$context.connectionId',
  eventType: '$context.eventType',
  routeKey: '$context.routeKey',
  status: '$context.status',
  requestTimeEpoch: '$context.requestTimeEpoch',
  integrationLatency: '$context.integrationLatency',
  error: '$context.error.message',
  integrationError: '$context.integrationErrorMessage',
};

/** The functions that the API itself invokes. */
type SocketFunction = ActionFunction | 'authorizer' | 'connect' | 'disconnect';

export interface SocketApiProps {
  readonly stage: Stage;
  readonly logsKey: EncryptionKey;
  readonly functions: Readonly<Record<SocketFunction, ParleyFunction>>;
}

/** The WebSocket API: one route per action of the protocol's table, each answered by its function on the same socket. */
export class SocketApi extends Construct {
  /** `wss://…` that clients connect to. */
  readonly url: string;
  private readonly api: apigateway.CfnApi;
  private readonly integrations = new Map<SocketFunction, apigateway.CfnIntegration>();
  /** All that the stage must find when it is deployed; CloudFormation would not wait by itself. */
  private readonly parts: CfnResource[] = [];
  private readonly deployed: apigateway.CfnStage;

  constructor(
    scope: Construct,
    id: string,
    private readonly props: SocketApiProps,
  ) {
    super(scope, id);
    const { stage } = props;
    this.api = new apigateway.CfnApi(this, 'Api', {
      name: `parley-${stage.name}`,
      protocolType: 'WEBSOCKET',
      routeSelectionExpression: '$request.body.action',
    });
    this.url = `wss://${this.api.ref}.execute-api.${Aws.REGION}.${Aws.URL_SUFFIX}/${stage.name}`;
    this.addRoute('$connect', 'connect', { authorizationType: 'CUSTOM', authorizerId: this.addAuthorizer().ref });
    this.addRoute('$disconnect', 'disconnect');
    this.addTwoWayRoute('$default', 'heartbeat');
    for (const action of ACTION_NAMES) this.addTwoWayRoute(action, ACTIONS[action].function);
    this.deployed = this.addStage();
  }

  /** Lets `fn` post to sockets or close them, and nothing else of the API. */
  bindTo(fn: ParleyFunction, methods: readonly ('POST' | 'DELETE')[]): void {
    const { name } = this.props.stage;
    fn.setEnvironment(
      ENV.gatewayEndpoint,
      `https://${this.api.ref}.execute-api.${Aws.REGION}.${Aws.URL_SUFFIX}/${name}`,
    );
    fn.allow(
      'Sockets',
      ['execute-api:ManageConnections'],
      // Ids of connections are made at run time.
      methods.map((method) => this.arn(`${name}/${method}/@connections/*`)),
    );
  }

  /** The stage's logs need the account's role to be there. */
  writeLogsBy({ account }: ApiGatewayAccount): void {
    this.deployed.addResourceDependency(account);
  }

  private addAuthorizer(): apigateway.CfnAuthorizer {
    const { function: fn } = this.props.functions.authorizer;
    const authorizer = new apigateway.CfnAuthorizer(this, 'Authorizer', {
      apiId: this.api.ref,
      name: 'token',
      authorizerType: 'REQUEST',
      authorizerUri: invocationUri(fn),
      identitySource: ['route.request.header.Sec-WebSocket-Protocol'],
    });
    this.permit('Authorizer', fn, this.arn(`authorizers/${authorizer.ref}`));
    return authorizer;
  }

  private addTwoWayRoute(routeKey: string, name: SocketFunction): void {
    const route = this.addRoute(routeKey, name, { routeResponseSelectionExpression: '$default' });
    const response = new apigateway.CfnRouteResponse(this, `Response ${routeKey}`, {
      apiId: this.api.ref,
      routeId: route.ref,
      routeResponseKey: '$default',
    });
    this.parts.push(response);
  }

  private addRoute(
    routeKey: string,
    name: SocketFunction,
    props: Partial<apigateway.CfnRouteProps> = {},
  ): apigateway.CfnRoute {
    const route = new apigateway.CfnRoute(this, `Route ${routeKey}`, {
      apiId: this.api.ref,
      routeKey,
      authorizationType: 'NONE',
      target: `integrations/${this.integrationOf(name).ref}`,
      ...props,
    });
    this.permit(
      `Invoke ${routeKey}`,
      this.props.functions[name].function,
      this.arn(`${this.props.stage.name}/${routeKey}`),
    );
    this.parts.push(route);
    return route;
  }

  private integrationOf(name: SocketFunction): apigateway.CfnIntegration {
    const present = this.integrations.get(name);
    if (present) return present;
    const integration = new apigateway.CfnIntegration(this, `Integration ${name}`, {
      apiId: this.api.ref,
      integrationType: 'AWS_PROXY',
      integrationUri: invocationUri(this.props.functions[name].function),
    });
    this.integrations.set(name, integration);
    this.parts.push(integration);
    return integration;
  }

  private addStage(): apigateway.CfnStage {
    const { stage, logsKey } = this.props;
    const accessLogs = logsKey.addLogGroup(this, 'AccessLogs');
    // The gateway would make it by itself, unencrypted and for ever.
    const executionLogs = logsKey.addLogGroup(
      this,
      'ExecutionLogs',
      `API-Gateway-Execution-Logs_${this.api.ref}/${stage.name}`,
    );
    const deployed = new apigateway.CfnStage(this, 'Stage', {
      apiId: this.api.ref,
      stageName: stage.name,
      autoDeploy: true,
      accessLogSettings: { destinationArn: accessLogs.logGroupRef.logGroupArn, format: JSON.stringify(ACCESS_LOG) },
      defaultRouteSettings: {
        throttlingRateLimit: stage.throttle.requestsPerSecond,
        throttlingBurstLimit: stage.throttle.burst,
        detailedMetricsEnabled: true,
        loggingLevel: 'ERROR',
        // It would log every message.
        dataTraceEnabled: false,
      },
    });
    for (const part of this.parts) deployed.addResourceDependency(part);
    deployed.node.addDependency(executionLogs);
    return deployed;
  }

  private permit(id: string, fn: lambda.Function, sourceArn: string): void {
    new lambda.CfnPermission(this, `${id} Permission`, {
      action: 'lambda:InvokeFunction',
      functionName: fn.functionArn,
      principal: 'apigateway.amazonaws.com',
      sourceArn,
      sourceAccount: Aws.ACCOUNT_ID,
    });
  }

  private arn(resource: string): string {
    const { partition, region, account } = Stack.of(this);
    return `arn:${partition}:execute-api:${region}:${account}:${this.api.ref}/${resource}`;
  }
}

function invocationUri(fn: lambda.Function): string {
  return `arn:${Aws.PARTITION}:apigateway:${Aws.REGION}:lambda:path/2015-03-31/functions/${fn.functionArn}/invocations`;
}
