import { LIMITS } from '@parley/protocol';
import { CACHE_KEYS } from '@parley/protocol/stores';
import type { Membership } from '../../ports/directory/port.ts';
import type { LogRow } from '../../ports/message-log/port.ts';
import { Unavailable } from '../../ports/unavailable.ts';
import { bestEffort } from '../../runtime/best-effort.ts';
import type { ConversationKey } from '../../runtime/keys.ts';
import { logger } from '../../runtime/logger.ts';
import type { Services } from '../../runtime/services.ts';
import { toEntry } from './entries.ts';

/** How long the mark stands by which `repair` knows that an entry was published. */
const PUBLISHED_MARK_MS = 300_000;

export function publishedMark(conversation: ConversationKey, seq: number): string {
  return `${CACHE_KEYS.published}${conversation}:${seq}`;
}

/**
 * Steps 6 and 7 of a send: to those who are there, directly, then to the stream for everybody else; without a membership to the stream only.
 * The entry is durable by now: nothing that fails here takes the reply away, and `repair` publishes what was not.
 */
export async function announce(
  row: LogRow,
  { membership, repeat }: { readonly membership?: Membership; readonly repeat: boolean },
  exceptConnectionId: string,
  services: Services,
): Promise<void> {
  const { presence } = services;
  const { conversation, seq } = row;
  const mark = publishedMark(conversation, seq);
  if (repeat && (await bestEffort('published mark', false, () => presence.isMarked(mark)))) return;
  const reached = membership
    ? { served: await deliverDirectly(row, membership, exceptConnectionId, services), exceptConnectionId }
    : { served: [] };
  try {
    await publish(row, reached, services);
  } catch (error) {
    if (!(error instanceof Unavailable)) throw error;
    logger.warn('an entry was stored and not published', { conversation, id: row.id, seq });
  }
}

/** To everybody, by the stream: for a row whose sender may not have got so far. @throws {Unavailable} unknown whether it was published */
export async function announceAgain(row: LogRow, services: Services): Promise<void> {
  await publish(row, { served: [] }, services);
}

async function publish(
  row: LogRow,
  reached: { readonly served: 'all' | readonly string[]; readonly exceptConnectionId?: string },
  { presence, stream }: Services,
): Promise<void> {
  const { conversation, seq } = row;
  const entry = toEntry(row);
  await stream.publish('conversation-events', conversation, { v: 1, type: 'entry', conversation, entry, ...reached });
  await bestEffort('published mark', undefined, async () => {
    // Heartbeats look at the cached head: an entry that they cannot tell of is not done with, so the mark comes last.
    await presence.setHead(conversation, seq);
    await presence.mark(publishedMark(conversation, seq), PUBLISHED_MARK_MS);
  });
}

async function deliverDirectly(
  row: LogRow,
  { head, roster }: Membership,
  exceptConnectionId: string,
  { directory, direct }: Services,
): Promise<'all' | readonly string[]> {
  if (head.memberCount > LIMITS.directMembersMax) return [];
  return bestEffort<'all' | readonly string[]>('direct delivery', [], async () => {
    const members = roster ?? (await directory.members(row.conversation, undefined, LIMITS.directMembersMax)).items;
    // Whoever joined later does not see it; a repeat may find them here.
    const memberIds = members.filter(({ joinedSeq }) => joinedSeq < row.seq).map(({ userId }) => userId);
    const { conversation } = row;
    const request = { type: 'direct', conversation, entry: toEntry(row), memberIds, exceptConnectionId } as const;
    const { served } = await direct.deliver(request, LIMITS.directDeadlineMs);
    return served.length === memberIds.length ? 'all' : served;
  });
}
