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
import { selfSigned, type Certificate } from './certificate.ts';
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
  readonly engines: Readonly<Record<'cassandra' | 'kafka' | 'dynamodb' | 'redis' | 'ministack', Endpoint>>;
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
  /** The folder for the certificate. */
  readonly dir: string;
  readonly log: (line: string) => void;
}

const HTTPS_SERVICES = ['dynamodb', 'lambda', 'sqs'] as const;
const HTTPS_PORT = 443;
const CQL_PORT = 9142;

/** Everything on AWS that functions call, on this machine, each behind the name that it has there. */
export class LocalServices {
  /** A file with the certificate that functions must trust. */
  readonly caFile: string;
  private readonly addresses: Readonly<Record<string, string>>;
  private readonly ports = new Map<string, number>();
  private readonly certificate: Certificate;
  private readonly tokens: PresignedCheck;
  private readonly parts: { close(): unknown }[] = [];

  /** Every one of them listens when it resolves. */
  static async start(options: LocalServicesOptions): Promise<LocalServices> {
    const services = new LocalServices(options);
    try {
      await services.startHttps();
      await services.startLog();
      await services.startBrokers();
      await services.startCaches();
    } catch (error) {
      await services.close();
      throw error;
    }
    return services;
  }

  private constructor(private readonly options: LocalServicesOptions) {
    const { app, keyring, broker, dir, reachable } = options;
    const hosts = [...HTTPS_SERVICES.map((name) => this.hostOf(name)), this.apiHost, this.hostOf('cassandra')];
    this.addresses = addressesOf([...hosts, ...app.stores.caches.map(({ host }) => host), broker.host]);
    this.certificate = selfSigned([...Object.keys(this.addresses), ...Object.values(this.addresses), '127.0.0.1']);
    this.caFile = join(dir, 'ca.pem');
    writeFileSync(this.caFile, this.certificate.cert);
    this.tokens = new PresignedCheck(keyring, app.at.region);
    for (const { host, port } of reachable) this.lead(host, port, port);
  }

  /** What leads the connections of a function here. */
  get redirects(): Redirects {
    return { ports: Object.fromEntries(this.ports), addresses: this.addresses };
  }

  async close(): Promise<void> {
    await Promise.all(this.parts.map((part) => part.close()));
  }

  private async startHttps(): Promise<void> {
    const { app, access, keyring, engines, runtime, connections, log } = this.options;
    const dynamoDb = new DynamoDb({ ...engines.dynamodb, access, arnPrefix: this.arnPrefixOf('dynamodb') });
    const sqs = new Sqs({ access, queues: app.stores.queues, engine: engines.ministack, region: app.at.region });
    const services: Readonly<Record<(typeof HTTPS_SERVICES)[number], HttpService>> = {
      dynamodb: dynamoDb,
      lambda: new LambdaApi({ access, runtime, arnPrefix: `${this.arnPrefixOf('lambda')}:function`, log }),
      sqs,
    };
    const https = new HttpsServices({
      certificate: this.certificate,
      region: app.at.region,
      keyring,
      services: new Map(HTTPS_SERVICES.map((name) => [this.hostOf(name), services[name]])),
      otherwise: connections,
      log,
    });
    this.parts.push(dynamoDb, sqs, https);
    const port = await https.listen();
    for (const host of [...HTTPS_SERVICES.map((name) => this.hostOf(name)), this.apiHost]) {
      this.lead(host, HTTPS_PORT, port);
    }
  }

  private async startLog(): Promise<void> {
    const { app, access, keyring, engines, dataCenter, log } = this.options;
    const arnPrefix = `${this.arnPrefixOf('cassandra')}:`;
    const settings = { access, keyring, region: app.at.region, arnPrefix, dataCenter, log };
    const port = await this.startProxy(engines.cassandra, (...sockets) => new CqlSession(...sockets, settings));
    this.lead(this.hostOf('cassandra'), CQL_PORT, port);
  }

  private async startBrokers(): Promise<void> {
    const { app, access, engines, broker, log } = this.options;
    const { clusterArn } = app.stores;
    if (clusterArn === undefined) return;
    const settings = { access, tokens: this.tokens, clusterArn, broker, log };
    const port = await this.startProxy(engines.kafka, (...sockets) => new KafkaSession(...sockets, settings));
    this.lead(broker.host, broker.port, port);
  }

  private async startCaches(): Promise<void> {
    const { app, access, engines, cachePasswordOf, log } = this.options;
    for (const cache of app.stores.caches) {
      const settings = { cache, access, tokens: this.tokens, passwordOf: cachePasswordOf, log };
      const port = await this.startProxy(engines.redis, (...sockets) => new CacheSession(...sockets, settings));
      this.lead(cache.host, cache.port, port);
      // The server calls itself so when it is asked for the nodes of the cluster.
      this.lead(engines.redis.host, engines.redis.port, port);
    }
  }

  private startProxy(
    target: Endpoint,
    open: (...sockets: [client: Socket, server: Socket]) => Session,
  ): Promise<number> {
    const { certificate } = this;
    const proxy = new TlsProxy({ certificate, target, open, log: this.options.log });
    this.parts.push(proxy);
    return proxy.listen();
  }

  private lead(host: string, from: number, to: number): void {
    for (const name of [host, this.addresses[host]]) if (name !== undefined) this.ports.set(`${name}:${from}`, to);
  }

  private get apiHost(): string {
    return this.hostOf(`${this.options.app.api.apiId}.execute-api`);
  }

  private hostOf(service: string): string {
    const { region, urlSuffix } = this.options.app.at;
    return `${service}.${region}.${urlSuffix}`;
  }

  private arnPrefixOf(service: string): string {
    const { partition, region, accountId } = this.options.app.at;
    return `arn:${partition}:${service}:${region}:${accountId}`;
  }
}

/** An address for each name, for those who look names up by themselves. Nothing ever listens there. */
function addressesOf(hosts: readonly string[]): Record<string, string> {
  return Object.fromEntries(hosts.map((host, i) => [host, `127.77.0.${i + 1}`]));
}
