import { isEntryId, LIMITS } from '@parley/protocol';
import type { MSKEvent, MSKRecord } from 'aws-lambda';
import type { ParkedRecord } from '../ports/event-stream/port.ts';
import { Unavailable } from '../ports/unavailable.ts';
import { logger } from '../runtime/logger.ts';
import type { Services } from '../runtime/services.ts';

/** Carries out one record. @throws whatever keeps it from being carried out. */
export type RecordConsumer = (topic: string, record: unknown) => Promise<void>;

/**
 * Every record of a batch, in order. One that fails is tried a bounded number of times and then parked, so that it blocks nobody
 * behind it: the batch as a whole succeeds.
 */
export async function consumeRecords(event: MSKEvent, consume: RecordConsumer, services: Services): Promise<void> {
  for (const record of Object.values(event.records).flat()) {
    const value = parse(record);
    if (value?.['v'] !== 1) {
      await park(record, 'UNKNOWN_VERSION', services);
      continue;
    }
    if (!isUnderItsKey(record, value)) {
      await park(record, 'WRONG_KEY', services);
      continue;
    }
    const code = await attempt(() => consume(record.topic, value));
    if (code !== undefined) await park(record, code, services, value);
  }
}

/** What producers write of a conversation stands under its key, which names its workspace: a record of another one is no record of ours, and out of order, too. */
function isUnderItsKey({ key }: MSKRecord, { conversation }: Partial<Record<string, unknown>>): boolean {
  if (typeof conversation !== 'string') return true;
  return typeof key === 'string' && Buffer.from(key, 'base64').toString() === conversation;
}

async function attempt(work: () => Promise<void>): Promise<string | undefined> {
  for (let attempt = 1; ; attempt++) {
    try {
      await work();
      return undefined;
    } catch (error) {
      const canChange = error instanceof Unavailable;
      if (canChange && attempt < LIMITS.recordAttemptsMax) continue;
      logger.error('a record failed', { error: error as Error });
      return canChange ? 'UNAVAILABLE' : 'INTERNAL';
    }
  }
}

function parse({ value }: MSKRecord): Partial<Record<string, unknown>> | undefined {
  try {
    const parsed: unknown = JSON.parse(Buffer.from(value, 'base64').toString());
    return typeof parsed === 'object' && parsed !== null ? parsed : undefined;
  } catch {
    return undefined;
  }
}

const CONVERSATION_KEY = /^[A-Za-z0-9._-]{1,64}\/[A-Za-z0-9_-]{1,64}$/;

/** Ids only: what was said stays in the log, from which a redrive reads it again. */
async function park(
  { topic, partition, offset }: MSKRecord,
  code: string,
  { stream }: Services,
  value?: Partial<Record<string, unknown>>,
): Promise<void> {
  const entry = (value?.['entry'] ?? {}) as { id?: string; seq?: number };
  const conversation = value?.['conversation'];
  const parked: ParkedRecord = {
    topic,
    partition,
    offset,
    // Only what is of the form of an id: in a forged record a text could stand in its place.
    ...(typeof conversation === 'string' && CONVERSATION_KEY.test(conversation) && { conversation }),
    ...(typeof entry.id === 'string' && isEntryId(entry.id) && { id: entry.id }),
    ...(Number.isSafeInteger(entry.seq) && { seq: entry.seq }),
    code,
  };
  logger.error('parked a record', { ...parked });
  await stream.park(parked);
}
