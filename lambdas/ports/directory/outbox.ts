import type { AttributeValue, DynamoDBRecord } from 'aws-lambda';
import type { EntryId } from '@parley/protocol';
import type { ConversationKey } from '../../runtime/keys.ts';
import type { DedupeRow } from './port.ts';

/** A number as the outbox tells of it: the stream of the dedupe rows. */
export interface Outboxed {
  readonly conversation: ConversationKey;
  readonly id: EntryId;
  readonly seq: number;
  /** Names its record in the outbox. */
  readonly recordId: string;
  /** When the outbox got it, by the outbox's clock. */
  readonly writtenAtMs: number;
}

/** What a record tells; nothing of one that says that a row ended. @throws for a row that no version of Parley wrote */
export function outboxedIn({ eventName, dynamodb = {} }: DynamoDBRecord): Outboxed | undefined {
  const { NewImage: image, SequenceNumber: recordId = '', ApproximateCreationDateTime: writtenAt = 0 } = dynamodb;
  if (eventName === 'REMOVE' || !image) return undefined;
  const conversation = image['conversation']?.S;
  const id = image['id']?.N;
  const seq = image['seq']?.N;
  if (conversation === undefined || id === undefined || seq === undefined) {
    throw new Error(`the outbox record ${recordId} lacks conversation, id or seq`);
  }
  const writtenAtMs = writtenAt * 1_000;
  return { conversation: conversation as ConversationKey, id, seq: Number(seq), recordId, writtenAtMs };
}

/** The record that the stream makes of a dedupe row, as far as `outboxedIn` reads it: for directories without a stream. */
export function outboxRecord(
  conversation: ConversationKey,
  { id, seq }: DedupeRow,
  recordId: string,
  writtenAtMs: number,
): DynamoDBRecord {
  const image: Record<string, AttributeValue> = {
    conversation: { S: conversation },
    id: { N: id },
    seq: { N: String(seq) },
  };
  return {
    eventName: 'INSERT',
    dynamodb: { SequenceNumber: recordId, ApproximateCreationDateTime: writtenAtMs / 1_000, NewImage: image },
  };
}
