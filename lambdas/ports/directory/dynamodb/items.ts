import type { ConversationType, Role } from '@parley/protocol';
import type { ConversationKey } from '../../../runtime/keys.ts';
import type { Connection, DedupeRow, Head, Intent, RosterMember, Seat } from '../port.ts';
import { exact, exactIn, mapListIn, map, optionalTextIn, text, textIn, whole, wholeIn, type Item } from './values.ts';

export function headOf(item: Item): Head {
  const title = optionalTextIn(item, 'title');
  return {
    type: textIn(item, 'type') as ConversationType,
    ...(title !== undefined && { title }),
    createdAtMs: wholeIn(item, 'createdAtMs'),
    requestHash: textIn(item, 'requestHash'),
    epoch: wholeIn(item, 'epoch'),
    seq: wholeIn(item, 'seq'),
    lastId: exactIn(item, 'lastId'),
    lastBy: textIn(item, 'lastBy'),
    rosterVersion: wholeIn(item, 'rosterVersion'),
    memberCount: wholeIn(item, 'memberCount'),
  };
}

export function toSeat({ userId, role, joinedSeq }: Seat): Item {
  return { userId: text(userId), role: text(role), joinedSeq: whole(joinedSeq) };
}

function seatOf(item: Item): Seat {
  return { userId: textIn(item, 'userId'), role: textIn(item, 'role') as Role, joinedSeq: wholeIn(item, 'joinedSeq') };
}

export function seatsOf(rosterItem: Item): Seat[] {
  return mapListIn(rosterItem, 'members').map(seatOf);
}

/** Receipts stand in the member's own item: each is one write, and none makes the roster's item grow old. */
export function memberOf(item: Item): RosterMember {
  return { ...seatOf(item), deliveredSeq: wholeIn(item, 'deliveredSeq'), readSeq: wholeIn(item, 'readSeq') };
}

export function toMember({ deliveredSeq, readSeq, ...seat }: RosterMember): Item {
  return { ...toSeat(seat), deliveredSeq: whole(deliveredSeq), readSeq: whole(readSeq) };
}

export function dedupeOf(item: Item): DedupeRow {
  const intent = optionalTextIn(item, 'intent');
  return {
    id: exactIn(item, 'id'),
    seq: wholeIn(item, 'seq'),
    bodyHash: textIn(item, 'bodyHash'),
    sentAtMs: wholeIn(item, 'sentAtMs'),
    expiresAtMs: wholeIn(item, 'entryExpiresAtMs'),
    ...(intent !== undefined && { intent: JSON.parse(intent) as Intent }),
  };
}

/** `keptUntilMs` is when the row itself ends, which is long before its entry does. */
export function toDedupe(
  conversation: ConversationKey,
  { id, seq, bodyHash, sentAtMs, expiresAtMs, intent }: DedupeRow,
  keptUntilMs: number,
): Item {
  return {
    conversation: text(conversation),
    id: exact(id),
    seq: whole(seq),
    bodyHash: text(bodyHash),
    sentAtMs: whole(sentAtMs),
    entryExpiresAtMs: whole(expiresAtMs),
    expiresAt: whole(Math.ceil(keptUntilMs / 1_000)),
    ...(intent && { intent: text(JSON.stringify(intent)) }),
  };
}

/** Attributes of connections begin with it, so that no connection id meets the name of another attribute. */
const CONNECTION_PREFIX = 'c:';

export function connectionAttribute(connectionId: string): string {
  return `${CONNECTION_PREFIX}${connectionId}`;
}

export function toConnection({ deviceId, connectedAtMs, expiresAtMs }: Connection) {
  return map({ deviceId: text(deviceId), connectedAtMs: whole(connectedAtMs), expiresAtMs: whole(expiresAtMs) });
}

/** All connections in a user's item, also those that have ended. */
export function connectionsIn(item: Item): Connection[] {
  const connections: Connection[] = [];
  for (const [name, { M: value }] of Object.entries(item)) {
    if (!value || !name.startsWith(CONNECTION_PREFIX)) continue;
    const connectionId = name.slice(CONNECTION_PREFIX.length);
    const deviceId = textIn(value, 'deviceId');
    const connectedAtMs = wholeIn(value, 'connectedAtMs');
    connections.push({ connectionId, deviceId, connectedAtMs, expiresAtMs: wholeIn(value, 'expiresAtMs') });
  }
  return connections;
}
