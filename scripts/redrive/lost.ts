import type { DynamoDBRecord } from 'aws-lambda';
import { outboxedIn } from '../../lambdas/ports/directory/outbox.ts';
import type { ConversationKey } from '../../lambdas/runtime/keys.ts';

/** A number of a conversation whose record a consumer gave up on. */
export interface LostNumber {
  readonly conversation: ConversationKey;
  readonly seq: number;
}

/** What lies in one place: a message of the queue, or an object of a bucket. */
export interface LostBatch {
  /** For the report. */
  readonly where: string;
  readonly numbers: readonly LostNumber[];
  /** The same numbers, where they come from the outbox: its records say what their senders were about to do, which the log may not. */
  readonly outbox?: readonly DynamoDBRecord[];
  /** Records without a number: receipts, presence, typing. They are state, and clients ask for it again. */
  readonly others: number;
  /** Takes it away. */
  readonly done: () => Promise<void>;
}

/** What the JSON of a parked record or of a failed batch says of numbers; nothing in it is trusted to be well formed. */
export function numbersIn(json: string): Pick<LostBatch, 'numbers' | 'outbox' | 'others'> {
  const value = parse(json);
  const { payload = value } = fieldsOf(value);
  const event = fieldsOf(typeof payload === 'string' ? parse(payload) : payload);
  if (Array.isArray(event['Records'])) {
    const outbox = (event['Records'] as DynamoDBRecord[]).filter((record) => outboxed(record) !== undefined);
    const numbers = outbox.flatMap((record) => outboxed(record) ?? []);
    return { numbers, outbox, others: event['Records'].length - outbox.length };
  }
  const records = recordsIn(event);
  const numbers = records.flatMap((record) => numberOf(record) ?? []);
  return { numbers, others: records.length - numbers.length };
}

function recordsIn(event: Partial<Record<string, unknown>>): unknown[] {
  if (typeof event['records'] === 'object' && event['records'] !== null) {
    return Object.values(event['records'])
      .flat()
      .map((record) => parse(Buffer.from(String(fieldsOf(record)['value']), 'base64').toString()));
  }
  return [event];
}

/** Undefined for one that `repair` could not read either, and for one that says that a row ended. */
function outboxed(record: DynamoDBRecord): LostNumber | undefined {
  try {
    return outboxedIn(record);
  } catch {
    return undefined;
  }
}

function numberOf(record: unknown): LostNumber | undefined {
  const { conversation, seq, entry } = fieldsOf(record);
  const number = seq ?? fieldsOf(entry)['seq'];
  if (typeof conversation !== 'string' || !Number.isSafeInteger(number) || Number(number) < 1) return undefined;
  return { conversation: conversation as ConversationKey, seq: Number(number) };
}

function fieldsOf(value: unknown): Partial<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? value : {};
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
