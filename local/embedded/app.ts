import { randomBytes } from 'node:crypto';
import { createServer } from 'node:http';
import { MemoryDirectory } from '../../lambdas/ports/directory/memory.ts';
import { InProcessDirectDelivery } from '../../lambdas/ports/direct-delivery/in-process.ts';
import { MemoryEventStream } from '../../lambdas/ports/event-stream/memory.ts';
import { ConnectionsApi } from '../../lambdas/ports/gateway/connections-api.ts';
import { MemoryMessageLog } from '../../lambdas/ports/message-log/memory.ts';
import { MemoryPresence } from '../../lambdas/ports/presence/memory.ts';
import { InProcessRepairs } from '../../lambdas/ports/repairs/in-process.ts';
import type { Services } from '../../lambdas/runtime/services.ts';
import { LocalGateway, type Credentials, type GatewaySettings } from '../gateway/gateway.ts';
import { LocalIssuer } from '../identity/local-issuer.ts';
import { closeServer, listen, notReady } from '../loopback-server.ts';
import { LocalSurface } from '../surface.ts';
import { EmbeddedFunctions, type FunctionName } from './functions.ts';
import { MemoryOutbox } from './outbox.ts';
import { routesOfProtocol } from './routes.ts';

export const API_ID = 'parleylocl';
export const REGION = 'eu-west-1';
export const ACCOUNT_ID = '000000000000';
export const STAGE = 'local';

/** Who may do what with sockets, as the roles of the deployed functions say. */
const SOCKET_RIGHTS: Partial<Record<FunctionName, readonly string[]>> = {
  deliver: ['POST', 'DELETE'],
  connect: ['DELETE'],
};

export interface LocalAppOptions {
  /** Default 0: any free port. */
  readonly port?: number;
  /** The folder of the built web client; without it `/` says how to build it. */
  readonly webRoot?: string;
  readonly gateway?: Partial<GatewaySettings>;
  /** Replaces ports, for tests that make them fail. */
  readonly override?: (services: Services) => Services;
  readonly now?: () => number;
  /** How long the outbox gathers. Default `LIMITS.repairWindowMs`. */
  readonly repairWindowMs?: number;
}

export interface LocalApp {
  readonly port: number;
  /** `http://127.0.0.1:{port}` */
  readonly url: string;
  /** `ws://127.0.0.1:{port}/local` */
  readonly socketUrl: string;
  readonly services: Services;
  readonly issuer: LocalIssuer;
  readonly gateway: LocalGateway;
  readonly stream: MemoryEventStream;
  readonly functions: EmbeddedFunctions;
  close(): Promise<void>;
}

/**
 * Parley in this process: the gateway, the functions and embedded stores, on one port of the loopback address.
 * @throws with `code: 'EADDRINUSE'` when the port is taken.
 */
export async function startLocalApp(options: LocalAppOptions = {}): Promise<LocalApp> {
  const now = options.now ?? Date.now;
  const server = createServer();
  server.on('request', notReady);
  const port = await listen(server, options.port ?? 0);
  const url = `http://127.0.0.1:${port}`;
  const issuer = await LocalIssuer.create(url);
  const outbox = new MemoryOutbox((event) => functions.invoke('repair', event), options.repairWindowMs);
  const directory = new MemoryDirectory(now, outbox.add);
  const stream = new MemoryEventStream(now);
  const keys = new SocketKeys(`${url}/${STAGE}`);
  const base = {
    log: new MemoryMessageLog(now),
    directory,
    presence: new MemoryPresence(now),
    stream,
    direct: new InProcessDirectDelivery((request) => functions.invoke('deliver', request)),
    repairs: new InProcessRepairs((request) => functions.invoke('repair', request)),
    identity: issuer,
    settings: { allowedOrigins: [url, `http://localhost:${port}`] },
    now,
  };
  const servicesOf = (name: FunctionName): Services => {
    const services = { ...base, gateway: keys.gatewayFor(name) };
    return options.override?.(services) ?? services;
  };
  const functions = new EmbeddedFunctions(servicesOf);
  stream.consume((event) => functions.invoke('deliver', event));
  const gateway = new LocalGateway({
    apiId: API_ID,
    stage: STAGE,
    region: REGION,
    accountId: ACCOUNT_ID,
    routes: routesOfProtocol(),
    routeSelectionExpression: '$request.body.action',
    authorizer: { functionName: 'authorizer', identitySources: ['route.request.header.Sec-WebSocket-Protocol'] },
    invoke: functions.invoke,
    credentials: keys.find,
    now,
    ...(options.gateway && { settings: options.gateway }),
  });
  const surface = new LocalSurface({
    gateway,
    issuer,
    directory,
    ...(options.webRoot && { webRoot: options.webRoot }),
  });
  server.off('request', notReady);
  server.on('request', surface.request);
  server.on('upgrade', surface.upgrade);
  const close = async (): Promise<void> => {
    await gateway.close();
    outbox.close();
    stream.close();
    keys.destroy();
    await closeServer(server);
  };
  const socketUrl = `ws://127.0.0.1:${port}/${STAGE}`;
  return { port, url, socketUrl, services: servicesOf('deliver'), issuer, gateway, stream, functions, close };
}

/** An access key for each function, so that the gateway can tell who calls and what that one may. */
class SocketKeys {
  private readonly byFunction = new Map<FunctionName, { accessKeyId: string; secretAccessKey: string }>();
  private readonly gateways: ConnectionsApi[] = [];

  constructor(private readonly endpoint: string) {}

  gatewayFor(name: FunctionName): ConnectionsApi {
    let credentials = this.byFunction.get(name);
    if (!credentials) {
      credentials = {
        accessKeyId: `LOCAL${name.toUpperCase()}`,
        secretAccessKey: randomBytes(30).toString('base64url'),
      };
      this.byFunction.set(name, credentials);
    }
    const gateway = new ConnectionsApi({ endpoint: this.endpoint, region: REGION, credentials });
    this.gateways.push(gateway);
    return gateway;
  }

  readonly find = (accessKeyId: string): Credentials | undefined => {
    for (const [functionName, { accessKeyId: theirs, secretAccessKey }] of this.byFunction) {
      if (theirs !== accessKeyId) continue;
      const rights = SOCKET_RIGHTS[functionName] ?? [];
      return { functionName, secretAccessKey, allowed: (method) => rights.includes(method) };
    }
    return undefined;
  };

  destroy(): void {
    for (const gateway of this.gateways) gateway.destroy();
  }
}
