import { CfnOutput, Stack, type StackProps } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import { ENV } from '../lambdas/runtime/env.ts';
import { ApiGatewayAccount } from './constructs/api-gateway-account.ts';
import { EncryptionKey } from './constructs/encryption-key.ts';
import { InvocationEndpoints } from './constructs/invocation-endpoints.ts';
import { OutboxConsumer } from './constructs/outbox-consumer.ts';
import { ParleyFunction, type CodeOf } from './constructs/parley-function.ts';
import { RuntimePolicies } from './constructs/runtime-policies.ts';
import { SocketApi } from './constructs/socket-api.ts';
import { StreamConsumer } from './constructs/stream-consumer.ts';
import type { DataStack } from './data-stack.ts';
import type { EdgeStack } from './edge-stack.ts';
import type { NetworkStack } from './network-stack.ts';
import type { Stage } from './stages.ts';
import type { StreamStack } from './stream-stack.ts';

export interface RealtimeStackProps extends StackProps {
  readonly stage: Stage;
  readonly network: NetworkStack;
  readonly data: DataStack;
  readonly stream: StreamStack;
  readonly edge: EdgeStack;
  readonly codeOf: CodeOf;
}

/** The WebSocket API and its functions. Holds nothing: it can be deleted and made again at any time. */
export class RealtimeStack extends Stack {
  constructor(
    scope: Construct,
    id: string,
    { stage, network, data, stream, edge, codeOf, ...props }: RealtimeStackProps,
  ) {
    super(scope, id, props);
    const { vpc } = network;
    const logsKey = new EncryptionKey(this, 'LogsKey', stage, 'logs and parked records, which hold ids only');
    const policies = new RuntimePolicies(this, 'RuntimePolicies');
    const common = { stage, codeOf, logsKey };
    const inVpc = { ...common, vpc, policies: [policies.vpc] };

    const authorizer = new ParleyFunction(this, 'authorizer', common);
    const connect = new ParleyFunction(this, 'connect', common);
    const disconnect = new ParleyFunction(this, 'disconnect', common);
    const send = new ParleyFunction(this, 'send', inVpc);
    const heartbeat = new ParleyFunction(this, 'heartbeat', inVpc);
    const receipt = new ParleyFunction(this, 'receipt', inVpc);
    const sync = new ParleyFunction(this, 'sync', inVpc);
    const conversation = new ParleyFunction(this, 'conversation', inVpc);
    const deliver = new ParleyFunction(this, 'deliver', { ...common, policies: [policies.pollers] });
    const repair = new ParleyFunction(this, 'repair', inVpc);

    const api = new SocketApi(this, 'Sockets', {
      stage,
      logsKey,
      functions: { authorizer, connect, disconnect, send, heartbeat, receipt, sync, conversation },
    });
    if (stage.apiGatewayAccountRole === 'create') api.writeLogsBy(new ApiGatewayAccount(this, 'ApiGatewayAccount'));
    const endpoints = new InvocationEndpoints(this, 'Endpoints', {
      stage,
      vpc,
      events: stream.events,
      targets: { deliver, repair },
    });

    authorizer.setEnvironment(ENV.issuer, stage.identity.issuer);
    authorizer.setEnvironment(ENV.audience, stage.identity.audience);
    authorizer.setEnvironment(ENV.allowedOrigins, [edge.web.origin, ...stage.allowedOrigins].join(','));

    data.directory.bindTo(connect, 'admit');
    data.connections.bindTo(connect, 'serve');
    api.bindTo(connect, ['DELETE']);

    data.connections.bindTo(disconnect, 'register');

    data.directory.bindTo(send, 'append');
    data.connections.bindTo(send, 'look');
    data.sends.bindTo(send, 'reserve');
    data.log.bindTo(send, 'write');
    stream.presence.bindTo(send, ['rates', 'heads', 'published']);
    stream.events.bindProducer(send, ['conversation-events', 'signals']);
    endpoints.bindTo(send, 'deliver');

    data.directory.bindTo(heartbeat, 'look');
    stream.presence.bindTo(heartbeat, ['rates', 'heads', 'presence', 'watchers', 'typing']);
    stream.events.bindProducer(heartbeat, ['signals']);

    data.directory.bindTo(receipt, 'raise');
    stream.presence.bindTo(receipt, ['rates']);
    stream.events.bindProducer(receipt, ['conversation-events', 'signals']);

    data.directory.bindTo(sync, 'read');
    data.log.bindTo(sync, 'read');
    stream.presence.bindTo(sync, ['rates', 'repairs']);
    endpoints.bindTo(sync, 'repair');

    data.directory.bindTo(conversation, 'manage');
    data.connections.bindTo(conversation, 'look');
    data.sends.bindTo(conversation, 'reserve');
    data.log.bindTo(conversation, 'write');
    stream.presence.bindTo(conversation, ['rates', 'heads', 'published']);
    stream.events.bindProducer(conversation, ['conversation-events', 'signals']);

    data.directory.bindTo(deliver, 'read');
    data.connections.bindTo(deliver, 'serve');
    api.bindTo(deliver, ['POST', 'DELETE']);
    const delivery = new StreamConsumer(this, 'Delivery', {
      stage,
      events: stream.events,
      fn: deliver,
      topics: ['conversation-events', 'signals'],
      idsKey: logsKey,
      reachable: endpoints,
    });

    data.directory.bindTo(repair, 'finish');
    data.sends.bindTo(repair, 'repoint');
    data.log.bindTo(repair, 'write');
    stream.presence.bindTo(repair, ['heads', 'published']);
    stream.events.bindProducer(repair, ['conversation-events']);
    const outbox = new OutboxConsumer(this, 'Outbox', { stage, table: data.sends, fn: repair, idsKey: logsKey });

    new CfnOutput(this, 'SocketUrl', { value: api.url });
    // For `npm run redrive`.
    new CfnOutput(this, 'ParkedRecords', { value: delivery.parkedQueueUrl });
    new CfnOutput(this, 'FailedDeliveries', { value: delivery.failed.name });
    new CfnOutput(this, 'FailedRepairs', { value: outbox.failed.name });
  }
}
