import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { DeployedApp } from '../local/assembly/deployed-app.ts';
import { startEngines, type Engines } from '../local/engines/engines.ts';
import type { Cost } from '../local/lambda/environment.ts';
import { startEnginesApp, type EnginesApp } from '../local/start-engines/app.ts';
import { synthesizeIfStale } from '../local/start-engines/synthesize.ts';
import { BenchClient, directOf } from './bench-client.ts';
import { percentile, type Figure } from './figures.ts';
import { usdPerMillion } from './usd.ts';

/** Latency and billed calls of the synthesized app on Cassandra, Kafka, Redis and DynamoDB Local, with and without the direct path. */
export async function onEngines(scale: number): Promise<Figure[]> {
  const root = process.cwd();
  const assembly = join(root, '.parley', 'cdk.out');
  await synthesizeIfStale(root, assembly, () => undefined);
  const engines = await startEngines();
  try {
    const direct = await measure(root, assembly, engines, scale, (app) => app);
    const stream = await measure(root, assembly, engines, scale, withoutDirectPath);
    const row = (name: string, value: number, unit: string, goal?: string): Figure => ({
      name,
      value,
      unit,
      ...(goal !== undefined && { goal }),
    });
    return [
      row('engines: 1:1 delivery p50', percentile(direct.latencies, 0.5), 'ms', '≤ 25 ms'),
      row('engines: 1:1 delivery p99', percentile(direct.latencies, 0.99), 'ms', '≤ 100 ms'),
      row('engines: 1:1 ack p50', percentile(direct.acks, 0.5), 'ms'),
      row('engines: CPU time of a send', mean(direct.sends.map(({ cpuMs }) => cpuMs)), 'ms'),
      row('engines: CPU time of a send in its duration', shareOf(direct.sends) * 100, '%', '≤ 15 %'),
      row('engines: 1:1 through Kafka alone p50', percentile(stream.latencies, 0.5), 'ms'),
      row('engines: 1:1 through Kafka alone p99', percentile(stream.latencies, 0.99), 'ms'),
      // Every 32nd number begins a new list of ids: two calls more.
      row('AWS calls per 1:1 message', direct.calls.length / direct.latencies.length, 'calls', '≤ 8 + 2/32'),
      row('list price of those per million messages', usdPerMillion(direct.calls, direct.latencies.length), 'USD'),
    ];
  } finally {
    await engines.stop();
  }
}

interface Measured {
  readonly latencies: number[];
  readonly acks: number[];
  readonly calls: string[];
  /** What `send` took for each message. */
  readonly sends: Cost[];
}

async function measure(
  root: string,
  assembly: string,
  engines: Engines,
  scale: number,
  change: (app: DeployedApp) => DeployedApp,
): Promise<Measured> {
  mkdirSync(join(root, '.parley'), { recursive: true });
  const dir = mkdtempSync(join(tmpdir(), 'parley-bench-'));
  let [calls, sends]: [string[], Cost[]] = [[], []];
  const app = await startEnginesApp({
    root,
    assembly,
    engines: () => Promise.resolve(engines),
    dir,
    change,
    log: () => undefined,
    onCall: (_functionName, call) => calls.push(call),
    onCost: (functionName, cost) => functionName.endsWith('-send') && sends.push(cost),
  });
  try {
    const times = await exchange(app, Math.ceil(200 * scale), () => ([calls, sends] = [[], []]));
    return { ...times, calls, sends };
  } finally {
    await app.close();
    rmSync(dir, { recursive: true });
  }
}

/** @param reset called when everything is warm */
async function exchange(
  app: EnginesApp,
  count: number,
  reset: () => void,
): Promise<Pick<Measured, 'latencies' | 'acks'>> {
  const info = { url: app.socketUrl, tokenUrl: `${app.url}/dev/token` };
  const run = crypto.randomUUID().slice(0, 8);
  const ana = await BenchClient.connect(info, `ana-${run}`);
  const ben = await BenchClient.connect(info, `ben-${run}`);
  const conversationId = await directOf(ana, ben.userId);
  const one = async (): Promise<{ latency: number; ack: number }> => {
    const arrived = new Promise<number>((resolve) => (ben.onEvent = () => resolve(performance.now())));
    const startedAt = performance.now();
    await ana.send(conversationId, 'x'.repeat(128));
    const ack = performance.now() - startedAt;
    return { latency: (await arrived) - startedAt, ack };
  };
  for (let i = 0; i < WARM_UP; i++) await one();
  reset();
  const [latencies, acks]: [number[], number[]] = [[], []];
  for (let i = 0; i < count; i++) {
    const { latency, ack } = await one();
    latencies.push(latency);
    acks.push(ack);
    // One user sends 50 messages a second at most.
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  ana.socket.terminate();
  ben.socket.terminate();
  return { latencies, acks };
}

/** By then V8 has compiled most of what a send runs. */
const WARM_UP = 100;

/** Which part of the time that an event took its process has computed; the rest of it waited. */
function shareOf(costs: readonly Cost[]): number {
  return mean(costs.map(({ cpuMs }) => cpuMs)) / mean(costs.map(({ handlerMs }) => handlerMs));
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** `send` without the right to invoke `deliver`: every entry takes the stream. */
function withoutDirectPath(app: DeployedApp): DeployedApp {
  const functions = [...app.functions].map(([name, definition]) => {
    const statements = definition.statements.filter(({ actions }) => !actions.includes('lambda:InvokeFunction'));
    return [name, name.endsWith('-send') ? { ...definition, statements } : definition] as const;
  });
  return { ...app, functions: new Map(functions) };
}
