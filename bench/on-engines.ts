import { join } from 'node:path';
import type { DeployedApp } from '../local/assembly/deployed-app.ts';
import { startEngines } from '../local/engines/engines.ts';
import type { Cost } from '../local/lambda/environment.ts';
import { synthesizeIfStale } from '../local/start-engines/synthesize.ts';
import { fanOutOnEngines, latencyOnEngines, throughputOnEngines } from './engine-loads.ts';
import { percentile, type Figure } from './figures.ts';
import { withRecordedApp } from './recorded-app.ts';
import { usdPerMillion } from './usd.ts';

const ROUNDS = 200;
const PAIRS = 8;
const ONLINE = 20;
const MEMBERS = 100;

/** Latency, throughput and billed calls of the synthesized app on real engines, with and without the direct path. */
export async function onEngines(scale: number): Promise<Figure[]> {
  const assembly = join(process.cwd(), '.parley', 'cdk.out');
  await synthesizeIfStale(process.cwd(), assembly, () => undefined);
  const engines = await startEngines();
  const rounds = Math.ceil(ROUNDS * scale);
  try {
    const direct = await withRecordedApp(
      engines,
      assembly,
      (app) => app,
      async (recorded) => {
        const times = await latencyOnEngines(recorded, rounds);
        const [calls, sends] = [[...recorded.calls], [...recorded.sends]];
        const group = await fanOutOnEngines(recorded, { members: MEMBERS, online: ONLINE, rounds: rounds / 10 });
        const perSecond = await throughputOnEngines(recorded, { pairs: PAIRS, perPair: rounds / 2 });
        return { ...times, calls, sends, group, perSecond };
      },
    );
    const stream = await withRecordedApp(engines, assembly, withoutDirectPath, (recorded) =>
      latencyOnEngines(recorded, rounds),
    );
    const row = (name: string, value: number, unit: string, goal?: string): Figure => ({
      name,
      value,
      unit,
      ...(goal !== undefined && { goal }),
    });
    const { latencies, acks, calls, sends, group, perSecond } = direct;
    const perGroup = group.calls.length / group.messages;
    return [
      row('engines: 1:1 delivery p50', percentile(latencies, 0.5), 'ms', '≤ 25 ms'),
      row('engines: 1:1 delivery p99', percentile(latencies, 0.99), 'ms', '≤ 100 ms'),
      row('engines: 1:1 ack p50', percentile(acks, 0.5), 'ms'),
      row('engines: CPU time of a send', mean(sends.map(({ cpuMs }) => cpuMs)), 'ms'),
      row('engines: CPU time of a send in its duration', shareOf(sends) * 100, '%', '≤ 15 %'),
      row('engines: 1:1 through Kafka alone p50', percentile(stream.latencies, 0.5), 'ms'),
      row('engines: 1:1 through Kafka alone p99', percentile(stream.latencies, 0.99), 'ms'),
      row(`engines: messages per second, ${PAIRS} pairs at once`, perSecond, '/s'),
      row('AWS calls per 1:1 message', calls.length / latencies.length, 'calls', '≤ 8'),
      row('list price of those per million messages', usdPerMillion(calls, latencies.length), 'USD'),
      row(`AWS calls per message in a group of ${MEMBERS}, ${ONLINE} online`, perGroup, 'calls', '≤ 29'),
      row('AWS calls per delivery in it', perGroup / (ONLINE - 1), 'calls'),
      row('list price of those per million messages', usdPerMillion(group.calls, group.messages), 'USD'),
    ];
  } finally {
    await engines.stop();
  }
}

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
