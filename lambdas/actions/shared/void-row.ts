import { LIMITS } from '@parley/protocol';
import type { LogRow, Place } from '../../ports/message-log/port.ts';
import type { ConversationKey } from '../../runtime/keys.ts';
import type { Services } from '../../runtime/services.ts';

/** The row that, standing at its place, makes a number void for good. */
export function voidRow(conversation: ConversationKey, { id, seq }: Place, { now }: Pick<Services, 'now'>): LogRow {
  const sentAtMs = now();
  return { conversation, id, seq, kind: 'void', sentAtMs, expiresAtMs: sentAtMs + LIMITS.entryTtlMs };
}
