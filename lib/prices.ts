import type { Stage } from './stages.ts';

const HOURS_PER_MONTH = 730;

/** List prices in us-east-1, in USD, with where and as of when they were read. Other Regions differ by up to about a half. */
export const PRICES = {
  brokerHour: {
    'kafka.t3.small': { usd: 0.0456, source: 'AWS price list as recorded by infracost', asOf: '2024-07' },
    'kafka.m7g.large': { usd: 0.204, source: 'MSK sizing table of aws/agent-toolkit-for-aws', asOf: '2026-08-20' },
  },
  brokerStorageGibMonth: { usd: 0.1, source: 'MSK sizing table of aws/agent-toolkit-for-aws', asOf: '2026-08-20' },
  endpointZoneHour: { usd: 0.01, source: 'AWS price list as recorded by infracost', asOf: '2024-10' },
  /** 100 MB at 0.084 per GB and hour. */
  cacheMonthMinimum: { usd: 6.13, source: 'usage.ai on ElastiCache Serverless for Valkey', asOf: '2026-06' },
  /** An event poller unit. Not read in any price list: to be verified on a bill. */
  pollerGroupHour: { usd: 0.185, source: 'unverified', asOf: '2026-11' },
  keyMonth: { usd: 1, source: 'AWS price list as recorded by infracost', asOf: '2024-07' },
} as const;

export interface FloorRow {
  readonly item: string;
  readonly count: number;
  readonly usdPerMonth: number;
}

/** Keys of the data, stream and realtime stacks and of failed batches. */
const KEYS = 4;

/** What a stage costs a month while nobody uses it. */
export function floorOf({ kafka, network }: Stage): FloorRow[] {
  const { pollers } = kafka;
  const endpoints = (pollers.mode === 'on demand' ? 3 : 2) * network.endpointZones;
  const pollerGroups = pollers.mode === 'on demand' ? 0 : new Set(Object.values(pollers.groupOf)).size;
  const row = (item: string, count: number, usdEach: number): FloorRow => ({
    item,
    count,
    usdPerMonth: count * usdEach,
  });
  return [
    row(`brokers ${kafka.instanceType}`, kafka.brokers, brokerHour(kafka.instanceType) * HOURS_PER_MONTH),
    row('broker storage, GiB', kafka.brokers * kafka.volumeGiB, PRICES.brokerStorageGibMonth.usd),
    row('interface endpoints × zones', endpoints, PRICES.endpointZoneHour.usd * HOURS_PER_MONTH),
    row('Valkey, serverless, its minimum', 1, PRICES.cacheMonthMinimum.usd),
    row('poller groups', pollerGroups, PRICES.pollerGroupHour.usd * HOURS_PER_MONTH),
    row('KMS keys', KEYS, PRICES.keyMonth.usd),
  ].filter(({ count }) => count > 0);
}

/** The floor as a table, for people. */
export function formatFloor({ name }: Stage, rows: readonly FloorRow[]): string {
  const total = rows.reduce((sum, { usdPerMonth }) => sum + usdPerMonth, 0);
  const line = (item: string, count: string, usd: number): string =>
    `  ${item.padEnd(34)}${count.padStart(5)}${usd.toFixed(2).padStart(10)}\n`;
  return [
    `Stage ${name} at rest, USD a month (us-east-1, list prices; traffic, storage and logs come on top):\n`,
    ...rows.map(({ item, count, usdPerMonth }) => line(item, String(count), usdPerMonth)),
    line('together', '', total),
  ].join('');
}

function brokerHour(instanceType: string): number {
  const price = (PRICES.brokerHour as Readonly<Record<string, { usd: number }>>)[instanceType];
  if (!price) throw new Error(`lib/prices.ts knows no price of ${instanceType}: add it, with source and date.`);
  return price.usd;
}
