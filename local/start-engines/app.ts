import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { ENV } from '../../lambdas/runtime/env.ts';
import { SignedHttp } from '../../lambdas/runtime/aws/signed-http.ts';
import { DynamoDirectory } from '../../lambdas/ports/directory/dynamodb.ts';
import { DynamoApi } from '../../lambdas/ports/directory/dynamodb/api.ts';
import { AssemblyError } from '../assembly/assembly-error.ts';
import { DEFAULT_DEPLOYMENT, readDeployedApp, type DeployedApp } from '../assembly/deployed-app.ts';
import type { FunctionDefinition } from '../assembly/functions.ts';
import { Access } from '../aws/access.ts';
import { Keyring } from '../aws/keyring.ts';
import { LocalServices } from '../aws/local-services.ts';
import type { Endpoint } from '../engine-calls.ts';
import type { LocalGateway, GatewaySettings } from '../gateway/gateway.ts';
import { LocalIssuer } from '../identity/local-issuer.ts';
import type { Cost } from '../lambda/environment.ts';
import { LambdaRuntime } from '../lambda/runtime.ts';
import { closeServer, listen, notReady } from '../loopback-server.ts';
import { LocalSurface } from '../surface.ts';
import { createStores, type EngineEndpoints } from './create-stores.ts';
import { makeGateway } from './make-gateway.ts';
import { startSources } from './start-sources.ts';

export interface EnginesAppOptions {
  /** The repository. */
  readonly root: string;
  /** The folder that `cdk synth` wrote. */
  readonly assembly: string;
  /** Default 0: any free port. */
  readonly port?: number;
  /** Started when everything else is known to be in order. */
  readonly engines: () => Promise<EngineEndpoints>;
  /** For certificates. */
  readonly dir: string;
  /** The folder of the built web client. */
  readonly webRoot?: string;
  readonly gateway?: Partial<GatewaySettings>;
  /** Changes what the template says, for tests. */
  readonly change?: (app: DeployedApp) => DeployedApp;
  /** Gets every line that a function writes. */
  readonly functionLog?: (functionName: string, line: string) => void;
  /** Gets every call that a function makes of an AWS service, such as `dynamodb:UpdateItem`. */
  readonly onCall?: (functionName: string, call: string) => void;
  /** Gets what each event of a function has cost. */
  readonly onCost?: (functionName: string, cost: Cost) => void;
  /** Gets what the author of the app should know: refusals, batches that were given up. */
  readonly log: (line: string) => void;
}

export interface EnginesApp {
  readonly port: number;
  /** `http://127.0.0.1:{port}` */
  readonly url: string;
  /** `ws://127.0.0.1:{port}/{stage}` */
  readonly socketUrl: string;
  readonly app: DeployedApp;
  readonly runtime: LambdaRuntime;
  readonly issuer: LocalIssuer;
  readonly gateway: LocalGateway;
  /** Starts an environment for each function that the API or a mapping invokes, ahead of its first event. */
  prepare(): void;
  /** The next events run what the definitions name. */
  replace(functions: Iterable<FunctionDefinition>): void;
  /** Ends everything but the engines, and leaves no process behind. */
  close(): Promise<void>;
}

/** As MSK calls its brokers. The template asks a function that runs while deploying. */
const BROKER: Endpoint = { host: `b-1.parley.kafka.${DEFAULT_DEPLOYMENT.region}.amazonaws.com`, port: 9098 };
/** The path of `npm start`, which leads here too. */
const LOCAL_STAGE = /^\/local(?=$|[/?])/;

/** Reads an assembly as this machine runs it. @throws {AssemblyError} */
export function readAppForEngines(assembly: string): DeployedApp {
  const attribute = (type: string, name: string): string | undefined =>
    type === 'Custom::KafkaBrokers' && name === 'Brokers' ? `${BROKER.host}:${BROKER.port}` : undefined;
  return readDeployedApp(assembly, { ...DEFAULT_DEPLOYMENT, attribute });
}

/**
 * The synthesized app on this machine: its routes on a local gateway, its bundles in processes of their own, its tables and topics in engines. One
 * port of the loopback address serves all that `npm start` serves. When it fails to start, nothing of it is left.
 * @throws {AssemblyError} with `code: 'EADDRINUSE'` when the port is taken; and whatever the engines throw
 */
export async function startEnginesApp(options: EnginesAppOptions): Promise<EnginesApp> {
  const closers: (() => unknown)[] = [];
  const close = async (): Promise<void> => {
    for (const end of closers.splice(0).reverse()) await end();
  };
  try {
    return await start(options, closers, close);
  } catch (error) {
    await close();
    throw error;
  }
}

async function start(
  options: EnginesAppOptions,
  closers: (() => unknown)[],
  close: () => Promise<void>,
): Promise<EnginesApp> {
  const { root, dir, log, webRoot } = options;
  const read = readAppForEngines(options.assembly);
  const app = options.change?.(read) ?? read;
  const server = createServer(notReady);
  const port = await listen(server, options.port ?? 0);
  closers.push(() => closeServer(server));
  const url = `http://127.0.0.1:${port}`;
  const issuer = await LocalIssuer.create(url);
  const engines = await options.engines();
  const keyring = new Keyring(app.functions.keys());
  const access = new Access(app.functions, app.at.accountId, log, options.onCall);
  const { dataCenter, cachePasswordOf } = await createStores(app.stores, engines, app.at.region);

  const services = await LocalServices.start({
    app,
    keyring,
    access,
    engines,
    dataCenter,
    broker: BROKER,
    cachePasswordOf,
    runtime: () => runtime,
    connections: (request, response) => gateway.request(request, response),
    reachable: [{ host: '127.0.0.1', port }],
    dir,
    log,
  });
  closers.push(() => services.close());
  const overrides: Readonly<Record<string, string>> = {
    [ENV.issuer]: issuer.issuer,
    [ENV.audience]: issuer.audience,
    [ENV.allowedOrigins]: [url, `http://localhost:${port}`].join(','),
  };
  const runtime = new LambdaRuntime({
    root,
    region: app.at.region,
    functions: app.functions.values(),
    variables: (name) => ({
      ...keyring.variablesOf(name),
      ...pick(overrides, Object.keys(app.functions.get(name)?.environment ?? {})),
    }),
    redirects: services.redirects,
    caFile: services.caFile,
    ...(options.functionLog && { log: options.functionLog }),
    ...(options.onCost && { onCost: options.onCost }),
  });
  closers.push(() => runtime.stop());
  const gateway = makeGateway({
    app,
    runtime,
    keyring,
    access,
    settings: options.gateway ?? {},
    ...(options.functionLog && { log: options.functionLog }),
  });
  closers.push(() => gateway.close());
  const stopSources = await startSources({ app, access, engines, broker: BROKER, runtime, log });
  closers.push(stopSources);

  const surface = new LocalSurface({
    gateway,
    issuer,
    directory: directoryOf(app, engines),
    ...(webRoot && { webRoot }),
  });
  const socketUrl = `ws://127.0.0.1:${port}/${app.api.stage}`;
  server.removeAllListeners('request');
  server.on('request', (request: IncomingMessage, response: ServerResponse) => {
    if (request.method === 'GET' && request.url === '/config.json') {
      response.writeHead(200, { 'content-type': 'application/json', 'cache-control': 'no-store' });
      response.end(JSON.stringify({ socketUrl: `ws://${request.headers.host ?? ''}/${app.api.stage}` }));
    } else surface.request(request, response);
  });
  server.on('upgrade', (request, socket, head) => {
    request.url = request.url?.replace(LOCAL_STAGE, `/${app.api.stage}`);
    surface.upgrade(request, socket, head);
  });
  const replace = (functions: Iterable<FunctionDefinition>): void => {
    for (const definition of functions) runtime.replace(definition);
  };
  const prepare = (): void => {
    const { authorizer, routes } = app.api;
    const invoked = [...routes.values(), ...(authorizer ? [authorizer] : []), ...app.mappings];
    runtime.prepare(new Set(invoked.map(({ functionName }) => functionName)));
  };
  return { port, url, socketUrl, app, runtime, issuer, gateway, prepare, replace, close };
}

/** Whoever asks for a token is a member from then on: the identity provider of this machine writes that itself. */
function directoryOf(app: DeployedApp, { dynamodb }: EngineEndpoints): DynamoDirectory {
  const nameOf = (variable: string): string => {
    const found = [...app.functions.values()].find(({ environment }) => environment[variable] !== undefined);
    if (!found) throw new AssemblyError('the app', `no function has the variable ${variable}.`);
    return found.environment[variable] ?? '';
  };
  const http = new SignedHttp({
    endpoint: `http://${dynamodb.host}:${dynamodb.port}`,
    service: 'dynamodb',
    region: app.at.region,
    credentials: { accessKeyId: 'LOCALISSUER', secretAccessKey: 'local' },
  });
  const tables = {
    directory: nameOf(ENV.directoryTable),
    connections: nameOf(ENV.connectionsTable),
    sends: nameOf(ENV.sendsTable),
  };
  return new DynamoDirectory({ dynamo: new DynamoApi(http), tables, now: Date.now });
}

function pick(values: Readonly<Record<string, string>>, names: readonly string[]): Record<string, string> {
  return Object.fromEntries(Object.entries(values).filter(([name]) => names.includes(name)));
}
