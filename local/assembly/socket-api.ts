import { AssemblyError } from './assembly-error.ts';
import { Fields } from './fields.ts';
import type { FunctionDefinition } from './functions.ts';
import type { Resource } from './resolver.ts';

export interface SocketApiDefinition {
  readonly apiId: string;
  readonly stage: string;
  readonly routeSelectionExpression: string;
  readonly routes: ReadonlyMap<string, { readonly functionName: string; readonly routeResponse: boolean }>;
  readonly authorizer?: {
    readonly id: string;
    readonly functionName: string;
    readonly identitySources: readonly string[];
  };
  readonly stageVariables?: Readonly<Record<string, string>>;
  readonly throttle?: { readonly perSecond: number; readonly burst: number };
}

const INVOCATION = /:lambda:path\/[^/]+\/functions\/(arn:[^/]+)\/invocations$/;

/** The WebSocket API of the app. @throws {AssemblyError} there is none, or more than one, or a route leads to no function */
export function extractSocketApi(
  resources: readonly Resource[],
  functions: ReadonlyMap<string, FunctionDefinition>,
): SocketApiDefinition {
  const ofType = (type: string): Resource[] =>
    resources.filter((resource) => resource.type === `AWS::ApiGatewayV2::${type}`);
  const apis = ofType('Api').filter(({ properties }) => properties['ProtocolType'] === 'WEBSOCKET');
  const [api] = apis;
  if (!api || apis.length > 1) {
    throw new AssemblyError('the app', `has ${apis.length} WebSocket APIs. Exactly one is run here.`);
  }
  const ours = (type: string): Resource[] => ofType(type).filter(({ properties }) => properties['ApiId'] === api.ref);
  const [stage] = ours('Stage');
  if (!stage) return Fields.of(api).fail('', 'has no stage (AWS::ApiGatewayV2::Stage).');
  const integrations = new Map(ours('Integration').map((integration) => [integration.ref, integration]));
  const responses = new Set(ours('RouteResponse').map(({ properties }) => properties['RouteId']));
  const functionOf = (fields: Fields, name: string): string => {
    const arn = INVOCATION.exec(fields.text(name))?.[1];
    const found = [...functions.values()].find((definition) => definition.arn === arn);
    return found?.name ?? fields.fail(name, `${arn ?? fields.text(name)} is no function of the app.`);
  };
  const authorizers = new Map(ours('Authorizer').map((authorizer) => [authorizer.ref, authorizer]));
  let authorizer: SocketApiDefinition['authorizer'];
  const routes = new Map<string, { functionName: string; routeResponse: boolean }>();
  for (const route of ours('Route')) {
    const fields = Fields.of(route);
    const routeKey = fields.text('RouteKey');
    const target = fields.optionalText('Target')?.replace(/^integrations\//, '');
    const integration = integrations.get(target ?? '');
    if (!integration)
      return fields.fail('Target', `the route ${routeKey} leads to no integration of the API, so to no function.`);
    const integrationFields = Fields.of(integration);
    const kind = integrationFields.text('IntegrationType');
    if (kind !== 'AWS_PROXY') integrationFields.fail('IntegrationType', `${kind} is not run here: only AWS_PROXY is.`);
    const routeResponse =
      fields.optionalText('RouteResponseSelectionExpression') === '$default' && responses.has(route.ref);
    routes.set(routeKey, { functionName: functionOf(integrationFields, 'IntegrationUri'), routeResponse });
    const authorization = fields.optionalText('AuthorizationType') ?? 'NONE';
    if (authorization === 'NONE') continue;
    if (authorization !== 'CUSTOM' || routeKey !== '$connect') {
      return fields.fail(
        'AuthorizationType',
        `${authorization} on ${routeKey} is not run here: only CUSTOM on $connect is.`,
      );
    }
    const found = authorizers.get(fields.text('AuthorizerId'));
    if (!found) return fields.fail('AuthorizerId', 'names no authorizer of the API.');
    const of = Fields.of(found);
    authorizer = {
      id: found.ref,
      functionName: functionOf(of, 'AuthorizerUri'),
      identitySources: of.texts('IdentitySource'),
    };
  }
  return {
    apiId: api.ref,
    stage: stage.ref,
    routeSelectionExpression: Fields.of(api).text('RouteSelectionExpression'),
    routes,
    ...(authorizer && { authorizer }),
    ...stageSettings(Fields.of(stage)),
  };
}

function stageSettings(stage: Fields): Pick<SocketApiDefinition, 'stageVariables' | 'throttle'> {
  const variables = stage.optionalObject('StageVariables');
  const route = stage.optionalObject('DefaultRouteSettings');
  const perSecond = route?.optionalNumber('ThrottlingRateLimit');
  const burst = route?.optionalNumber('ThrottlingBurstLimit');
  return {
    ...(variables && {
      stageVariables: Object.fromEntries(variables.keys().map((name) => [name, variables.text(name)])),
    }),
    ...(perSecond !== undefined && burst !== undefined && { throttle: { perSecond, burst } }),
  };
}
