import { writeFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { join } from 'node:path';
import type { DeployedApp } from '../assembly/deployed-app.ts';
import type { Endpoint } from '../engine-calls.ts';
import type { Redirects } from '../lambda/redirect.mjs';
import type { LambdaRuntime } from '../lambda/runtime.ts';
import type { Access } from './access.ts';
import { CacheSession } from './cache-proxy.ts';
import { selfSigned } from './certificate.ts';
import { CqlSession } from './cql-proxy.ts';
import { DynamoDb } from './dynamodb.ts';
import { HttpsServices, type HttpService } from './https-services.ts';
import { KafkaSession } from './kafka-proxy.ts';
import type { Keyring } from './keyring.ts';
import { LambdaApi } from './lambda-api.ts';
import { PresignedCheck } from './presigned.ts';
import { Sqs } from './sqs.ts';
import { TlsProxy, type Session } from './tls-proxy.ts';

export interface LocalServicesOptions {
  readonly app: DeployedApp;
  readonly keyring: Keyring;
  readonly access: Access;
  readonly engines: Readonly<Record<'cassandra' | 'kafka' | 'dynamodb' | 'redis', Endpoint>>;
  /** How that Cassandra calls its data centre. */
  readonly dataCenter: string;
  /** The broker's name and port in the app's settings. */
  readonly broker: Endpoint;
  /** Passwords of the cache's users at the server. */
  readonly cachePasswordOf: (userName: string) => string | undefined;
  readonly runtime: () => Pick<LambdaRuntime, 'has' | 'invoke'>;
  /** Serves `@connections`; answers whether the request was for it. */
  readonly connections: (request: IncomingMessage, response: ServerResponse) => boolean;
  /** Further endpoints that functions may reach as they are, such as the issuer of tokens. */
  readonly reachable: readonly Endpoint[];
  /** The folder for the certificate and for what queues hold. */
  readonly dir: string;
  readonly log: (line: string) => void;
}

const HTTPS_PORT = 443;
const CQL_PORT = 9142;

/** Everything on AWS that functions call, on this machine, each behind the name that it has there. */
export class LocalServices {
  private constructor(
    /** What leads the connections of a function here. */
    readonly redirects: Redirects,
    /** A file with the certificate that functions must trust. */
    readonly caFile: string,
    private readonly parts: readonly { close(): unknown }[],
  ) {}

  static async start(options: LocalServicesOptions): Promise<LocalServices> {
    const { app, access, keyring, engines, broker, dir, log } = options;
    const { region, accountId, partition, urlSuffix } = app.at;
    const nameOf = (service: string): string => `${service}.${region}.${urlSuffix}`;
    const arnPrefixOf = (service: string): string => `arn:${partition}:${service}:${region}:${accountId}`;
    const hosts = ['dynamodb', 'lambda', 'sqs', 'cassandra'].map(nameOf);
    const api = nameOf(`${app.api.apiId}.execute-api`);
    const caches = app.stores.caches.map(({ host }) => host);
    const addresses = addressesOf([...hosts, api, ...caches, broker.host]);
    const certificate = selfSigned([...Object.keys(addresses), ...Object.values(addresses), '127.0.0.1']);
    const caFile = join(dir, 'ca.pem');
    writeFileSync(caFile, certificate.cert);

    const tokens = new PresignedCheck(keyring, region);
    const dynamoDb = new DynamoDb({ ...engines.dynamodb, access, arnPrefix: arnPrefixOf('dynamodb') });
    const services = new Map<string, HttpService>([
      [nameOf('dynamodb'), dynamoDb],
      [
        nameOf('lambda'),
        new LambdaApi({ access, runtime: options.runtime, arnPrefix: `${arnPrefixOf('lambda')}:function`, log }),
      ],
      [nameOf('sqs'), new Sqs({ access, queues: app.stores.queues, fileOf: ({ name }) => join(dir, `${name}.jsonl`) })],
    ]);
    const https = new HttpsServices({
      certificate,
      region,
      keyring,
      services,
      otherwise: options.connections,
      log,
    });
    const parts: { close(): unknown }[] = [dynamoDb, https];
    const proxy = async (target: Endpoint, open: (client: Socket, server: Socket) => Session): Promise<number> => {
      const started = new TlsProxy({ certificate, target, open, log });
      parts.push(started);
      return started.listen();
    };
    const httpsPort = await https.listen();
    const ports = new Map<string, number>();
    const lead = (host: string, from: number, to: number): void => {
      for (const name of [host, addresses[host]]) if (name !== undefined) ports.set(`${name}:${from}`, to);
    };
    for (const host of [...hosts, api]) lead(host, HTTPS_PORT, httpsPort);
    const cql = {
      access,
      keyring,
      region,
      arnPrefix: `${arnPrefixOf('cassandra')}:`,
      dataCenter: options.dataCenter,
      log,
    };
    lead(
      nameOf('cassandra'),
      CQL_PORT,
      await proxy(engines.cassandra, (client, server) => new CqlSession(client, server, cql)),
    );
    const { clusterArn } = app.stores;
    if (clusterArn !== undefined) {
      const kafka = { access, tokens, clusterArn, broker, log };
      lead(
        broker.host,
        broker.port,
        await proxy(engines.kafka, (client, server) => new KafkaSession(client, server, kafka)),
      );
    }
    for (const cache of app.stores.caches) {
      const settings = { cache, access, tokens, passwordOf: options.cachePasswordOf, log };
      const port = await proxy(engines.redis, (client, server) => new CacheSession(client, server, settings));
      lead(cache.host, cache.port, port);
      // The server calls itself so when it is asked for the nodes of the cluster.
      lead(engines.redis.host, engines.redis.port, port);
    }
    for (const { host, port } of options.reachable) lead(host, port, port);
    return new LocalServices({ ports: Object.fromEntries(ports), addresses }, caFile, parts);
  }

  async close(): Promise<void> {
    await Promise.all(this.parts.map((part) => part.close()));
  }
}

/** An address for each name, for those who look names up by themselves. Nothing ever listens there. */
function addressesOf(hosts: readonly string[]): Record<string, string> {
  return Object.fromEntries(hosts.map((host, i) => [host, `127.77.0.${i + 1}`]));
}
