import { Match } from 'aws-cdk-lib/assertions';
import { ACTION_NAMES, ACTIONS } from '@parley/protocol';
import { KAFKA_TOPICS } from '@parley/protocol/stores';
import { FUNCTION_NAMES, FUNCTIONS } from '../../lib/functions.ts';
import { STAGES } from '../../lib/stages.ts';
import { allResources, INPUT, resourcesOf, templatesOf, text } from './harness.ts';

const { realtime } = templatesOf('small');
const ofType = (type: string) => resourcesOf('small', 'realtime', type);

/** The function behind a route: by its target, the integration, and the function in the integration's address. */
function functionBehind(target: unknown): string {
  const integration = /integrations\/<(\w+)>/.exec(text(target))?.[1];
  const [, found] = ofType('AWS::ApiGatewayV2::Integration').find(([id]) => id === integration) ?? [];
  const fn = /functions\/<(\w+)\.Arn>\/invocations$/.exec(text(found?.Properties['IntegrationUri']))?.[1];
  const [, deployed] = ofType('AWS::Lambda::Function').find(([id]) => id === fn) ?? [];
  return String(deployed?.Properties['FunctionName']).replace('parley-small-', '');
}

describe('the WebSocket API', () => {
  const routes = ofType('AWS::ApiGatewayV2::Route').map(([id, { Properties }]): Record<string, unknown> => {
    return { ...Properties, id };
  });

  it('has just the routes of the protocol, each with its function', () => {
    const behind = Object.fromEntries(routes.map(({ RouteKey, Target }) => [String(RouteKey), functionBehind(Target)]));
    expect(behind).toEqual({
      $connect: 'connect',
      $disconnect: 'disconnect',
      $default: 'heartbeat',
      ...Object.fromEntries(ACTION_NAMES.map((action) => [action, ACTIONS[action].function])),
    });
  });

  it('has one integration for each function', () => {
    const uris = ofType('AWS::ApiGatewayV2::Integration').map(([, { Properties }]) =>
      text(Properties['IntegrationUri']),
    );
    expect(uris).toHaveLength(new Set(uris).size);
    expect(uris).toHaveLength(7);
  });

  it('answers on the same socket on every route but the two of a connection', () => {
    const answering = ofType('AWS::ApiGatewayV2::RouteResponse').map(([, { Properties }]) =>
      text(Properties['RouteId']),
    );
    for (const { id, RouteKey, RouteResponseSelectionExpression } of routes) {
      const isTwoWay = RouteKey !== '$connect' && RouteKey !== '$disconnect';
      expect(RouteResponseSelectionExpression).toBe(isTwoWay ? '$default' : undefined);
      expect(answering.includes(`<${String(id)}>`)).toBe(isTwoWay);
    }
  });

  it('asks the authorizer for every connection, by the header that browsers can set', () => {
    realtime.hasResourceProperties('AWS::ApiGatewayV2::Authorizer', {
      AuthorizerType: 'REQUEST',
      IdentitySource: ['route.request.header.Sec-WebSocket-Protocol'],
    });
    const [authorizer] = ofType('AWS::ApiGatewayV2::Authorizer')[0] ?? [];
    for (const { RouteKey, AuthorizationType, AuthorizerId } of routes) {
      const isConnect = RouteKey === '$connect';
      expect(AuthorizationType).toBe(isConnect ? 'CUSTOM' : 'NONE');
      expect(AuthorizerId).toEqual(isConnect ? { Ref: authorizer } : undefined);
    }
  });

  it('is deployed after all of its parts', () => {
    const [, stage] = ofType('AWS::ApiGatewayV2::Stage')[0] ?? [];
    const parts = ['Route', 'RouteResponse', 'Integration'].flatMap((type) => ofType(`AWS::ApiGatewayV2::${type}`));
    expect(parts.length).toBeGreaterThan(2 * ACTION_NAMES.length);
    expect(stage?.DependsOn).toEqual(expect.arrayContaining(parts.map(([id]) => id)));
  });

  it('logs who did what when, and neither query, headers, addresses nor messages', () => {
    const [, stage] = ofType('AWS::ApiGatewayV2::Stage')[0] ?? [];
    const { AccessLogSettings, DefaultRouteSettings } = stage?.Properties as Record<string, Record<string, unknown>>;
    const variables = Object.values(JSON.parse(String(AccessLogSettings?.['Format'])) as Record<string, string>);
    expect(variables).toContain('$context.connectionId');
    expect(variables.filter((name) => /query|header|body|authorizer|identity|path/i.test(name))).toEqual([]);
    expect(DefaultRouteSettings).toMatchObject({ DataTraceEnabled: false, LoggingLevel: 'ERROR' });
  });

  it('keeps its own address, under which @connections lives', () => {
    realtime.hasResourceProperties('AWS::ApiGatewayV2::Api', {
      ProtocolType: 'WEBSOCKET',
      RouteSelectionExpression: '$request.body.action',
      DisableExecuteApiEndpoint: Match.absent(),
    });
  });

  it('throttles as the stage says', () => {
    const { requestsPerSecond, burst } = STAGES.small(INPUT).throttle;
    realtime.hasResourceProperties('AWS::ApiGatewayV2::Stage', {
      DefaultRouteSettings: { ThrottlingRateLimit: requestsPerSecond, ThrottlingBurstLimit: burst },
    });
  });

  it('may invoke a function for its own routes only', () => {
    const sources = ofType('AWS::Lambda::Permission').map(([, { Properties }]) => {
      expect(Properties['SourceAccount']).toEqual({ Ref: 'AWS::AccountId' });
      expect(Properties['Principal']).toBe('apigateway.amazonaws.com');
      return text(Properties['SourceArn']).replace(/^.*:<\w+>\//, '');
    });
    const routeKeys = routes.map(({ RouteKey }) => `small/${String(RouteKey)}`);
    expect(sources.filter((source) => !source.startsWith('authorizers/<')).sort()).toEqual(routeKeys.sort());
    expect(sources).toHaveLength(routeKeys.length + 1);
  });
});

describe('the functions', () => {
  it('are deployed as their settings say', () => {
    const deployed = allResources('small', 'AWS::Lambda::Function').map(([, { Properties }]) => Properties);
    expect(deployed.map(({ FunctionName }) => FunctionName).sort()).toEqual(
      FUNCTION_NAMES.map((name) => `parley-small-${name}`).sort(),
    );
    for (const properties of deployed) {
      const name = String(properties['FunctionName']).replace('parley-small-', '') as keyof typeof FUNCTIONS;
      expect(properties).toMatchObject({
        Runtime: 'nodejs24.x',
        Architectures: ['arm64'],
        Handler: 'index.handler',
        MemorySize: FUNCTIONS[name].memoryMiB,
        Timeout: FUNCTIONS[name].timeoutSeconds,
        LoggingConfig: { LogFormat: 'JSON' },
      });
    }
  });

  it('have concurrency of their own in prod, within what an account has', () => {
    const reserved = resourcesOf('prod', 'realtime', 'AWS::Lambda::Function').map(([, { Properties }]) =>
      Number(Properties['ReservedConcurrentExecutions']),
    );
    expect(reserved.every((count) => count > 0)).toBe(true);
    expect(reserved.reduce((a, b) => a + b, 0)).toBeLessThanOrEqual(900);
    realtime.allResourcesProperties('AWS::Lambda::Function', { ReservedConcurrentExecutions: Match.absent() });
  });
});

describe('the consumer', () => {
  it('reads every topic at once, from where its records begin to count', () => {
    const mappings = ofType('AWS::Lambda::EventSourceMapping')
      .map(([, { Properties }]) => Properties)
      .filter(({ Topics }) => Topics !== undefined);
    expect(mappings.map(({ Topics }) => Topics)).toEqual(Object.keys(KAFKA_TOPICS).map((name) => [name]));
    for (const { Topics, StartingPosition, MaximumBatchingWindowInSeconds, DestinationConfig } of mappings) {
      const [topic] = Topics as (keyof typeof KAFKA_TOPICS)[];
      expect(StartingPosition).toBe(topic && KAFKA_TOPICS[topic].startingPosition);
      expect(MaximumBatchingWindowInSeconds).toBe(0);
      expect(DestinationConfig).toMatchObject({ OnFailure: { Destination: expect.anything() as unknown } });
    }
  });

  it('bounds retries where pollers can, and asks nothing of those that cannot', () => {
    const topics = Object.keys(KAFKA_TOPICS).length;
    templatesOf('prod').realtime.resourcePropertiesCountIs(
      'AWS::Lambda::EventSourceMapping',
      {
        Topics: Match.anyValue(),
        MaximumRetryAttempts: 10,
        BisectBatchOnFunctionError: true,
        ProvisionedPollerConfig: { MinimumPollers: 1, MaximumPollers: 1 },
      },
      topics,
    );
    realtime.resourcePropertiesCountIs(
      'AWS::Lambda::EventSourceMapping',
      {
        Topics: Match.anyValue(),
        MaximumRetryAttempts: Match.absent(),
        BisectBatchOnFunctionError: Match.absent(),
        ProvisionedPollerConfig: Match.absent(),
      },
      topics,
    );
  });

  it('hands the outbox to repair when most of it is published, and again what could not be settled', () => {
    realtime.hasResourceProperties('AWS::Lambda::EventSourceMapping', {
      EventSourceArn: Match.objectLike({ 'Fn::ImportValue': Match.stringLikeRegexp('SendsTable.*StreamArn') }),
      FunctionName: { Ref: Match.stringLikeRegexp('^RepairFunction') },
      StartingPosition: 'TRIM_HORIZON',
      MaximumBatchingWindowInSeconds: 30,
      FunctionResponseTypes: ['ReportBatchItemFailures'],
      BisectBatchOnFunctionError: true,
      MaximumRecordAgeInSeconds: 86_400,
      DestinationConfig: { OnFailure: { Destination: Match.anyValue() } },
    });
  });

  it('keeps the bodies of failed batches a fortnight, under a key of their own', () => {
    realtime.hasResourceProperties('AWS::S3::Bucket', {
      LifecycleConfiguration: { Rules: [Match.objectLike({ ExpirationInDays: 14 })] },
      BucketEncryption: {
        ServerSideEncryptionConfiguration: [
          { BucketKeyEnabled: true, ServerSideEncryptionByDefault: { SSEAlgorithm: 'aws:kms' } },
        ],
      },
    });
    const [, bucket] = ofType('AWS::S3::Bucket')[0] ?? [];
    const [, queue] = ofType('AWS::SQS::Queue')[0] ?? [];
    const [bucketKey] = /DeliveryFailedKey\w+/.exec(JSON.stringify(bucket)) ?? [];
    expect(bucketKey).toBeDefined();
    expect(JSON.stringify(queue)).not.toContain(bucketKey);
  });
});
