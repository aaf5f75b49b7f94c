import type { AttributeValue, DynamoDBRecord } from 'aws-lambda';
import type { EntryId } from '@parley/protocol';
import type { ConversationKey } from '../../runtime/keys.ts';
import type { DedupeRow, Intent } from './port.ts';

/** A number as the outbox tells of it: the stream of the dedupe rows. */
export interface Outboxed {
  readonly conversation: ConversationKey;
  readonly id: EntryId;
  readonly seq: number;
  /** The whole row, where it says what its sender was about to do. */
  readonly row?: DedupeRow & { readonly intent: Intent };
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
  const number = { conversation: conversation as ConversationKey, id, seq: Number(seq), recordId, writtenAtMs };
  const intent = image['intent']?.S;
  if (intent === undefined) return number;
  const row = {
    id,
    seq: number.seq,
    bodyHash: image['bodyHash']?.S ?? '',
    sentAtMs: Number(image['sentAtMs']?.N),
    expiresAtMs: Number(image['entryExpiresAtMs']?.N),
    intent: JSON.parse(intent) as Intent,
  };
  return { ...number, row };
}

/** The record that the stream makes of a dedupe row, as far as `outboxedIn` reads it: for directories without a stream. */
export function outboxRecord(
  conversation: ConversationKey,
  { id, seq, bodyHash, sentAtMs, expiresAtMs, intent }: DedupeRow,
  recordId: string,
  writtenAtMs: number,
): DynamoDBRecord {
  const image: Record<string, AttributeValue> = {
    conversation: { S: conversation },
    id: { N: id },
    seq: { N: String(seq) },
    bodyHash: { S: bodyHash },
    sentAtMs: { N: String(sentAtMs) },
    entryExpiresAtMs: { N: String(expiresAtMs) },
    ...(intent && { intent: { S: JSON.stringify(intent) } }),
  };
  return {
    eventName: 'INSERT',
    dynamodb: { SequenceNumber: recordId, ApproximateCreationDateTime: writtenAtMs / 1_000, NewImage: image },
  };
}
