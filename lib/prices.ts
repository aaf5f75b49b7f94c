import type { Stage } from './stages.ts';

const HOURS_PER_MONTH = 730;

/**
 * List prices in us-east-1, in USD, and when they were read. Other Regions differ by up to about a half.
 * `null`: not published in a list that we could read, taken from what users report.
 */
export const PRICES = {
  brokerHour: {
    'kafka.t3.small': { usd: 0.0456, source: 'Amazon MSK pricing', asOf: '2026-08' },
    'kafka.m7g.large': { usd: 0.204, source: 'Amazon MSK pricing', asOf: '2026-08' },
  },
  brokerStorageGibMonth: { usd: 0.1, source: 'Amazon MSK pricing', asOf: '2026-08' },
  endpointZoneHour: { usd: 0.01, source: 'AWS PrivateLink pricing', asOf: '2024-10' },
  cacheMonthMinimum: {
    usd: 6.13,
    source: 'ElastiCache serverless for Valkey, 100 MB at 0.084 per GB-hour',
    asOf: '2026-06',
  },
  pollerGroupHour: {
    usd: 0.185,
    source: 'Lambda event poller unit, as reported by users: not verified',
    asOf: '2026-11',
  },
  keyMonth: { usd: 1, source: 'AWS KMS pricing', asOf: '2024-07' },
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
  const { mode } = kafka.pollers;
  const endpoints = (mode === 'on demand' ? 3 : 2) * network.endpointZones;
  const pollerGroups = mode === 'on demand' ? 0 : 1;
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
