import { randomUUID } from 'node:crypto';
import type { ActionName, Body } from '@parley/protocol';
import type { Scene } from './world.ts';

/** A token that any page takes: the base64url of "0". */
const PAGE = 'MA';

/** A good body of every action, with every field that its schema has, optional ones too. Each call makes a new request. */
export const SAMPLES: { readonly [A in ActionName]: (scene: Scene) => Body<A> } = {
  'session.start': ({ conversationId, epoch }) => ({
    cursors: { [conversationId]: { seq: 0, id: '0', epoch } },
    page: PAGE,
  }),
  'session.end': () => ({}),
  'message.send': ({ conversationId, message: { id }, other }) => ({
    conversationId,
    clientMessageId: randomUUID(),
    content: { type: 'text', text: 'hello' },
    threadId: id,
    replyToId: id,
    mentions: [other.user.userId],
  }),
  'log.sync': ({ conversationId, epoch }) => ({ conversationId, epoch, after: { seq: 0, id: '0' }, limit: 10 }),
  'log.page': ({ conversationId, message: { id } }) => ({ conversationId, beforeId: id, limit: 10 }),
  'receipt.set': ({ conversationId }) => ({ conversationId, deliveredSeq: 1, readSeq: 1 }),
  'receipts.get': ({ conversationId }) => ({ conversationId, page: PAGE }),
  heartbeat: ({ conversationId }) => ({ heads: { [conversationId]: 0 }, invisible: false }),
  'presence.watch': ({ other }) => ({ userIds: [other.user.userId] }),
  'presence.unwatch': () => ({}),
  'typing.set': ({ conversationId }) => ({ conversationId, typing: true }),
  'conversation.create': ({ other }) => ({
    clientRequestId: randomUUID(),
    type: 'group',
    memberIds: [other.user.userId],
    title: 'Plans',
  }),
  'conversation.get': ({ conversationId }) => ({ conversationId }),
  'conversation.list': () => ({ page: PAGE }),
  'member.list': ({ conversationId }) => ({ conversationId, page: PAGE }),
  'workspace.members': () => ({ page: PAGE }),
};
