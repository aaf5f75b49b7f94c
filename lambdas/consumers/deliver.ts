import { setTimeout as sleep } from 'node:timers/promises';
import type { MemberEntry } from '@parley/protocol';
import { toConversation } from '../actions/shared/membership.ts';
import type { DirectAnswer, DirectRequest } from '../ports/direct-delivery/port.ts';
import type { RosterMember } from '../ports/directory/port.ts';
import type { TopicRecords } from '../ports/event-stream/port.ts';
import { userKey, splitKey, type ConversationKey } from '../runtime/keys.ts';
import type { Services } from '../runtime/services.ts';
import { Outgoing, toJson, type Target } from './post.ts';
import { membersOf, targetsOf, usersOf } from './recipients.ts';

export type ConversationRecord = TopicRecords['conversation-events'];
export type SignalRecord = TopicRecords['signals'];

/** A reply that is on its way when its socket is to be closed goes first. */
const CLOSE_AFTER_MS = 200;

/** The short way: an entry to the members that `send` names. A member counts as served when no connection of theirs has missed it. */
export async function deliverDirect(request: DirectRequest, services: Services): Promise<DirectAnswer> {
  const { conversation, entry, memberIds, exceptConnectionId } = request;
  const targets = await targetsOf(usersOf(conversation, memberIds), services);
  const outgoing = new Outgoing();
  const event = toJson({ type: 'entry', body: entry });
  for (const target of [...targets.values()].flat()) {
    if (target.connectionId !== exceptConnectionId) outgoing.add(target, event);
  }
  const failed = await outgoing.post(services);
  const isServed = (userId: string): boolean => {
    const theirs = targets.get(userKey(splitKey(conversation), userId)) ?? [];
    return !theirs.some(({ connectionId }) => failed.has(connectionId));
  };
  return { served: memberIds.filter(isServed) };
}

/** Adds what a record of `conversation-events` has for each connection of the conversation's members. */
export async function addConversationRecord(
  record: ConversationRecord,
  outgoing: Outgoing,
  services: Services,
): Promise<void> {
  switch (record.type) {
    case 'entry': {
      if (record.served === 'all') return;
      const served = new Set(record.served);
      const all = await membersOf(record.conversation, services);
      const members = all.filter(({ userId, joinedSeq }) => !served.has(userId) && joinedSeq < record.entry.seq);
      if (record.entry.kind === 'member') await addChange(record.conversation, record.entry, all, outgoing, services);
      const event = toJson({ type: 'entry', body: record.entry });
      const userIds = members.map(({ userId }) => userId);
      await addForUsers(record.conversation, userIds, event, outgoing, services, record.exceptConnectionId);
      return;
    }
    case 'receipt': {
      const { userId } = record.event.body;
      const members = await membersOf(record.conversation, services);
      const userIds = members.map((member) => member.userId).filter((id) => id !== userId);
      await addForUsers(record.conversation, userIds, toJson(record.event), outgoing, services);
      return;
    }
    case 'conversation': {
      const { conversation, change, shared, exceptConnectionId } = record;
      for (const { userId, role, joinedSeq, deliveredSeq, readSeq } of await membersOf(conversation, services)) {
        const seen = { ...shared, me: { role, joinedSeq, deliveredSeq, readSeq } };
        const event = toJson({ type: 'conversation', body: { change, conversation: seen } });
        await addForUsers(conversation, [userId], event, outgoing, services, exceptConnectionId);
      }
      return;
    }
    default:
      throw unknownType(record);
  }
}

/** Carries out, or adds, what a record of `signals` asks for. */
export async function addSignalRecord(record: SignalRecord, outgoing: Outgoing, services: Services): Promise<void> {
  switch (record.type) {
    case 'users': {
      const targets = await targetsOf(record.users, services);
      addAll([...targets.values()].flat(), toJson(record.event), outgoing);
      return;
    }
    case 'connections':
      addAll(record.connections, toJson(record.event), outgoing);
      return;
    case 'close':
      await sleep(CLOSE_AFTER_MS);
      await services.gateway.close(record.connectionId);
      return;
    default:
      throw unknownType(record);
  }
}

/** Written by a newer version: to be parked, not to be guessed at. */
function unknownType(_record: never): Error {
  return new Error('unknown type of record');
}

/**
 * Tells who has joined of the conversation, before anything in it, and who has left that there is none any more. Only what is still so: by
 * now the same user may have come back, or gone.
 */
async function addChange(
  conversation: ConversationKey,
  { userId, change }: MemberEntry,
  members: readonly RosterMember[],
  outgoing: Outgoing,
  services: Services,
): Promise<void> {
  const conversationId = splitKey(conversation).id;
  const isMember = members.some((member) => member.userId === userId);
  if (isMember !== (change === 'joined')) return;
  if (change === 'left') {
    const event = toJson({ type: 'conversation', body: { change: 'removed', conversation: { conversationId } } });
    await addForUsers(conversation, [userId], event, outgoing, services);
    return;
  }
  const membership = await services.directory.membership(conversation, userId);
  if (!membership) return;
  const body = { change: 'added', conversation: toConversation(conversationId, membership) } as const;
  await addForUsers(conversation, [userId], toJson({ type: 'conversation', body }), outgoing, services);
}

async function addForUsers(
  conversation: ConversationKey,
  userIds: readonly string[],
  event: string,
  outgoing: Outgoing,
  services: Services,
  exceptConnectionId?: string,
): Promise<void> {
  const targets = await targetsOf(usersOf(conversation, userIds), services);
  const wanted = [...targets.values()].flat().filter((target) => target.connectionId !== exceptConnectionId);
  addAll(wanted, event, outgoing);
}

function addAll(targets: readonly Target[], event: string, outgoing: Outgoing): void {
  for (const target of targets) outgoing.add(target, event);
}
