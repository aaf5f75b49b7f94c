import { ProtocolError, validateBody, type ActionName, type Body } from '@parley/protocol';

const conversationId = 'c_1';
export const clientMessageId = '0b6c1d1e-6f5a-4d3e-9a43-0c5a4c6d7e8f';

/** For every action the smallest body that it takes, and a full one. A new action does not compile until it stands here. */
export const BODIES: { [A in ActionName]: { least: Body<A>; most: Required<Body<A>> } } = {
  'session.start': { least: {}, most: { cursors: { [conversationId]: { seq: 0, id: '0', epoch: 1 } }, page: 'p_1' } },
  'session.end': { least: {}, most: {} },
  'message.send': {
    least: { conversationId, clientMessageId, content: { type: 'text', text: 'Hello' } },
    most: {
      conversationId,
      clientMessageId,
      content: { type: 'text', text: 'Hello' },
      threadId: '1',
      replyToId: '2',
      mentions: ['ana'],
    },
  },
  'message.edit': {
    least: { conversationId, clientRequestId: 'r_1', targetId: '1', content: { type: 'text', text: 'Hello' } },
    most: { conversationId, clientRequestId: 'r_1', targetId: '1', content: { type: 'text', text: 'Hello' } },
  },
  'message.delete': {
    least: { conversationId, clientRequestId: 'r_1', targetId: '1' },
    most: { conversationId, clientRequestId: 'r_1', targetId: '1' },
  },
  'log.sync': {
    least: { conversationId, after: { seq: 0, id: '0' } },
    most: { conversationId, epoch: 1, after: { seq: 5, id: '9223372036854775807' }, limit: 200 },
  },
  'log.page': { least: { conversationId }, most: { conversationId, beforeId: '1', limit: 100 } },
  'receipt.set': { least: { conversationId }, most: { conversationId, deliveredSeq: 2, readSeq: 1 } },
  'receipts.get': { least: { conversationId }, most: { conversationId, page: 'p_1' } },
  heartbeat: { least: {}, most: { heads: { [conversationId]: 1 }, invisible: true } },
  'presence.watch': { least: { userIds: [] }, most: { userIds: ['ana'] } },
  'presence.unwatch': { least: {}, most: {} },
  'typing.set': { least: { conversationId, typing: true }, most: { conversationId, typing: false } },
  'conversation.create': {
    least: { clientRequestId: 'r_1', type: 'group' },
    most: { clientRequestId: 'r_1', type: 'group', memberIds: ['ben'], title: 'Lunch' },
  },
  'conversation.get': { least: { conversationId }, most: { conversationId } },
  'conversation.leave': {
    least: { conversationId, clientRequestId: 'r_1' },
    most: { conversationId, clientRequestId: 'r_1' },
  },
  'conversation.list': { least: {}, most: { page: 'p_1' } },
  'member.add': {
    least: { conversationId, clientRequestId: 'r_1', userId: 'ben' },
    most: { conversationId, clientRequestId: 'r_1', userId: 'ben' },
  },
  'member.remove': {
    least: { conversationId, clientRequestId: 'r_1', userId: 'ben' },
    most: { conversationId, clientRequestId: 'r_1', userId: 'ben' },
  },
  'member.list': { least: { conversationId }, most: { conversationId, page: 'p_1' } },
  'workspace.members': { least: {}, most: { page: 'p_1' } },
};

/** The refusal of a body. */
export function refusal(action: ActionName, body: unknown): ProtocolError {
  try {
    validateBody(action, body);
  } catch (error) {
    if (error instanceof ProtocolError) return error;
    throw error;
  }
  throw new Error('The body was accepted.');
}
