import { mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { FunctionDefinition } from '../../../local/assembly/functions.ts';
import type { GatewaySettings } from '../../../local/gateway/gateway.ts';
import { startEngines, type Engines } from '../../../local/engines/engines.ts';
import type { InvokeResult } from '../../../local/lambda/result.ts';
import { startEnginesApp, type EnginesApp } from '../../../local/start-engines/app.ts';
import { synthesizeIfStale } from '../../../local/start-engines/synthesize.ts';
import { makeBundles } from '../bundle/make-bundles.ts';
import { ORDERS_FILE, type Orders } from '../bundle/orders.ts';
import type { PlantName } from '../bundle/plants.ts';
import { TcpProxy } from '../proxy/tcp-proxy.ts';
import { CqlNetwork } from './cql-network.ts';
import { DynamoNetwork } from './dynamo-network.ts';
import { EngineFaults } from './engine-faults.ts';
import { Seams } from './seams.ts';
import { Stream } from './stream.ts';

const NETWORKS = ['cassandra', 'kafka', 'redis'] as const;
export type Network = (typeof NETWORKS)[number];
/** As it is deployed, or obedient to orders to fail. */
type Build = 'plain' | 'obedient';

/** What functions say beside what they always say. */
const IS_NEWS = /"level":"(WARN|ERROR)"|REFUSED|QUEUED|THROTTLED|^ERROR|crashed/;

/**
 * The synthesized app on real engines, with a network that can fail between functions and engines, and functions that fail when they are told to.
 * One serves any number of faults, one after the other.
 */
export class Lab {
  /** A bug that all functions have from the next order on. */
  plant: PlantName | undefined;
  private orderCount = 0;

  private constructor(
    readonly app: EnginesApp,
    readonly engines: EngineFaults,
    /** Between the functions and each engine. */
    readonly networks: Readonly<Record<Network, TcpProxy>>,
    readonly seams: Seams,
    readonly stream: Stream,
    readonly dynamo: DynamoNetwork,
    /** Between the network and Cassandra. */
    readonly cql: CqlNetwork,
    private readonly builds: Readonly<Record<Build, readonly FunctionDefinition[]>>,
    /** What functions and the app said since the last fault. */
    readonly lines: string[],
    private readonly dir: string,
    private readonly stopEngines: () => Promise<void>,
  ) {}

  static async open(root: string, gateway: Partial<GatewaySettings> = {}): Promise<Lab> {
    const home = join(root, '.parley', 'faults');
    const assembly = join(home, 'cdk.out');
    await synthesizeIfStale(root, assembly, () => undefined);
    const dir = mkdtempSync(join(tmpdir(), 'parley-faults-'));
    const ordersDir = join(dir, 'orders');
    mkdirSync(ordersDir);
    writeFileSync(join(ordersDir, ORDERS_FILE), JSON.stringify({ id: '0' }));
    const obedient = await makeBundles(root, join(dir, 'bundles'), ordersDir);
    const lines: string[] = [];
    const engines: Engines = await startEngines({ onDeath: (problem) => lines.push(problem.message) });
    const cql = new CqlNetwork(engines.cassandra);
    await cql.listen();
    const behind = { ...engines, cassandra: cql };
    const proxies = NETWORKS.map((name) => [name, new TcpProxy(behind[name])] as const);
    const networks = Object.fromEntries(proxies) as Record<Network, TcpProxy>;
    await Promise.all(proxies.map(([, proxy]) => proxy.listen()));
    const dynamo = new DynamoNetwork(engines.dynamodb);
    await dynamo.listen();
    const engineFaults = new EngineFaults(engines);
    await engineFaults.announceRedis(networks.redis.port);
    const builds: Record<Build, FunctionDefinition[]> = { plain: [], obedient: [] };
    const app = await startEnginesApp({
      root,
      assembly,
      engines: () => Promise.resolve({ ...engines, ...networks, dynamodb: dynamo }),
      dir,
      gateway: { connectsPerSecond: Infinity, ...gateway },
      change: (whole) => {
        builds.plain = [...whole.functions.values()];
        builds.obedient = builds.plain.map(obedient);
        return { ...whole, functions: new Map(builds.obedient.map((definition) => [definition.name, definition])) };
      },
      log: (line) => lines.push(line),
      functionLog: (name, line) => {
        if (IS_NEWS.test(line)) lines.push(`${name}: ${line}`);
      },
    });
    app.prepare();
    const stopEngines = async (): Promise<void> => {
      await engines.stop();
      await Promise.all([dynamo.close(), cql.close(), ...proxies.map(([, proxy]) => proxy.close())]);
      rmSync(dir, { recursive: true, force: true });
    };
    return new Lab(
      app,
      engineFaults,
      networks,
      new Seams(app),
      new Stream(app, engines),
      dynamo,
      cql,
      builds,
      lines,
      dir,
      stopEngines,
    );
  }

  /** What functions do wrong from their next event on, instead of what they were told before. */
  order(orders: Omit<Orders, 'id' | 'plant'>): void {
    const file = join(this.dir, 'orders', ORDERS_FILE);
    writeFileSync(`${file}.new`, JSON.stringify({ id: String(++this.orderCount), ...orders, plant: this.plant }));
    renameSync(`${file}.new`, file);
  }

  /** How often the last order of this kind was carried out: whether the fault happened at all. */
  carriedOut(what: 'crash' | 'fail'): number {
    const begin = `${this.orderCount}-${what}-`;
    return readdirSync(join(this.dir, 'orders')).filter((name) => name.startsWith(begin)).length;
  }

  /** From the next event on functions run this build; what is under way ends with the other. */
  deploy(build: Build): void {
    this.app.replace(this.builds[build]);
  }

  /** Invokes a function, such as `repair`, as whoever may. */
  invoke(name: string, event: object): Promise<InvokeResult> {
    return this.app.runtime.invoke(this.nameOf(name), event);
  }

  /** Process ids of the environments of a function, such as `send`, the busy ones first. */
  pidsOf(name: string): number[] {
    return this.app.runtime.pidsOf(this.nameOf(name));
  }

  /** Everything works again, as far as it can be told to. */
  async heal(): Promise<void> {
    this.order({});
    this.seams.heal();
    this.dynamo.decide = undefined;
    this.cql.refusesInserts = false;
    await Promise.all([
      this.stream.removePollers(),
      this.engines.heal(),
      ...NETWORKS.map((name) => this.networks[name].heal()),
    ]);
  }

  async close(): Promise<void> {
    await this.app.close();
    await this.stopEngines();
  }

  private nameOf(name: string): string {
    return [...this.app.app.functions.keys()].find((full) => full.endsWith(`-${name}`)) ?? name;
  }
}
