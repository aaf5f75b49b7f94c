import { LIMITS } from '@parley/protocol';
import type { Insertion } from '../../../lambdas/ports/message-log/port.ts';
import type { ConversationKey } from '../../../lambdas/runtime/keys.ts';
import type { Stage } from './stage.ts';

export interface Numbered {
  readonly id: string;
  readonly seq: number;
}

/** Takes a number as a sender does that dies right after. */
export async function takeNumber({ directory, clock }: Stage, conversation: ConversationKey): Promise<Numbered> {
  const id = (BigInt(clock.now()) << 22n).toString();
  const taken = await directory.takeNumber({ conversation, id, step: 1, nonce: 'dead', rosterVersion: 1 });
  if (!taken.taken) throw new Error('no number was taken');
  return { id: taken.id, seq: taken.seq };
}

/** Closes a number as `repair` does. */
export function declareVoid(
  { log, clock }: Stage,
  conversation: ConversationKey,
  { id, seq }: Numbered,
): Promise<Insertion> {
  const sentAtMs = clock.now();
  const expiresAtMs = sentAtMs + LIMITS.entryTtlMs;
  return log.insertIfAbsent({ conversation, id, seq, kind: 'void', sentAtMs, expiresAtMs });
}
