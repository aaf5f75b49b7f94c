import type { DirectDelivery } from '../../ports/direct-delivery/port.ts';
import type { Directory } from '../../ports/directory/port.ts';
import type { KafkaEventStream } from '../../ports/event-stream/kafka.ts';
import type { EventStream } from '../../ports/event-stream/port.ts';
import type { Gateway } from '../../ports/gateway/port.ts';
import type { Identity } from '../../ports/identity/port.ts';
import type { MessageLog } from '../../ports/message-log/port.ts';
import type { Presence } from '../../ports/presence/port.ts';
import type { Repairs } from '../../ports/repairs/port.ts';
import { ENV } from '../env.ts';
import type { Settings } from '../services.ts';
import { credentialsOf, type Signing } from './credentials.ts';

/**
 * The ports on AWS, made from what the deployment says in the environment. Each loads its own code only, so that a bundle holds what its
 * function names and nothing else. None connects before its first call.
 */

export async function directory(): Promise<Directory> {
  const [{ DynamoDirectory }, { DynamoApi }, { SignedHttp }] = await Promise.all([
    import('../../ports/directory/dynamodb.ts'),
    import('../../ports/directory/dynamodb/api.ts'),
    import('./signed-http.ts'),
  ]);
  const signing = signingOf();
  const endpoint = `https://dynamodb.${signing.region}.amazonaws.com`;
  // A function is told of the tables that it may use, and asks for no other.
  const tables = {
    get directory() {
      return required(ENV.directoryTable);
    },
    get connections() {
      return required(ENV.connectionsTable);
    },
    get sends() {
      return required(ENV.sendsTable);
    },
  };
  const dynamo = new DynamoApi(new SignedHttp({ endpoint, service: 'dynamodb', ...signing }));
  return new DynamoDirectory({ dynamo, tables, now: Date.now });
}

export async function log(): Promise<MessageLog> {
  const { KeyspacesMessageLog } = await import('../../ports/message-log/keyspaces.ts');
  const { host, port } = addressIn(ENV.logEndpoint);
  const auth = signingOf();
  const keyspace = required(ENV.logKeyspace);
  return new KeyspacesMessageLog({ contactPoints: [host], port, localDataCenter: auth.region, keyspace, auth });
}

export async function presence(): Promise<Presence> {
  const [{ ValkeyPresence }, { cacheToken }] = await Promise.all([
    import('../../ports/presence/valkey.ts'),
    import('./tokens.ts'),
  ]);
  const signing = signingOf();
  const cache = required(ENV.presenceCache);
  const user = required(ENV.presenceUser);
  const auth = { user, token: () => cacheToken(cache, user, signing) };
  return new ValkeyPresence({ ...addressIn(ENV.presenceEndpoint), tls: true, auth });
}

/** For functions that publish with most calls: the client is loaded while the environment starts. */
export async function stream(): Promise<EventStream> {
  const stream = await seldomStream();
  await stream.load();
  return stream;
}

/** For functions that publish with few calls: the client, more than half of what they would load, comes with the first record. */
export async function seldomStream(): Promise<KafkaEventStream> {
  const { KafkaEventStream } = await import('../../ports/event-stream/kafka.ts');
  return new KafkaEventStream({ brokers: required(ENV.brokers).split(','), auth: signingOf() });
}

/** For functions that consume: they park what they give up on, and never publish. */
export async function parking(): Promise<EventStream> {
  const { ParkedQueue } = await import('../../ports/event-stream/parked-queue.ts');
  const queue = new ParkedQueue({ queueUrl: required(ENV.parkedQueueUrl), signing: signingOf() });
  return {
    publish: () => Promise.reject(new Error('This function consumes the stream and may not publish.')),
    park: (record) => queue.send(record),
  };
}

export async function gateway(): Promise<Gateway> {
  const { ConnectionsApi } = await import('../../ports/gateway/connections-api.ts');
  return new ConnectionsApi({ endpoint: required(ENV.gatewayEndpoint), ...signingOf() });
}

export async function direct(): Promise<DirectDelivery> {
  const { LambdaInvoke } = await import('../../ports/direct-delivery/lambda-invoke.ts');
  const signing = signingOf();
  const endpoint = `https://lambda.${signing.region}.amazonaws.com`;
  return new LambdaInvoke({ endpoint, functionName: required(ENV.deliverFunction), ...signing });
}

export async function repairs(): Promise<Repairs> {
  const { LambdaRepairs } = await import('../../ports/repairs/lambda-invoke.ts');
  const signing = signingOf();
  const endpoint = `https://lambda.${signing.region}.amazonaws.com`;
  return new LambdaRepairs({ endpoint, functionName: required(ENV.repairFunction), ...signing });
}

export async function identity(): Promise<Identity> {
  const { JwksIdentity } = await import('../../ports/identity/jwks.ts');
  return new JwksIdentity({ issuer: required(ENV.issuer), audience: required(ENV.audience) });
}

export function settings(): Settings {
  const origins = required(ENV.allowedOrigins).split(',');
  return { allowedOrigins: origins.filter((origin) => origin !== '') };
}

function signingOf(): Signing {
  return { region: required('AWS_REGION'), credentials: credentialsOf(process.env) };
}

function required(name: string): string {
  const value = process.env[name];
  if (value === undefined || value === '')
    throw new Error(`${name} is not set: the deployment must tell this function.`);
  return value;
}

function addressIn(name: string): { host: string; port: number } {
  const [, host, port] = /^(.+):(\d+)$/.exec(required(name)) ?? [];
  if (host === undefined) throw new Error(`${name} is not of the form host:port.`);
  return { host, port: Number(port) };
}
