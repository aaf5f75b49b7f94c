import type { ACTIONS, ActionFunction, ActionName } from '@parley/protocol';
import type { Action } from './action.ts';
import { createConversation } from './conversation-create.ts';
import { getConversation } from './conversation-get.ts';
import { leaveConversation } from './conversation-leave.ts';
import { listConversations } from './conversation-list.ts';
import { heartbeat } from './heartbeat.ts';
import { pageLog } from './log-page.ts';
import { syncLog } from './log-sync.ts';
import { addMember } from './member-add.ts';
import { listMembers } from './member-list.ts';
import { removeMember } from './member-remove.ts';
import { deleteMessage } from './message-delete.ts';
import { editMessage } from './message-edit.ts';
import { sendMessage } from './message-send.ts';
import { unwatchPresence } from './presence-unwatch.ts';
import { watchPresence } from './presence-watch.ts';
import { setReceipt } from './receipt-set.ts';
import { getReceipts } from './receipts-get.ts';
import { endSession } from './session-end.ts';
import { startSession } from './session-start.ts';
import { setTyping } from './typing-set.ts';
import { listWorkspaceMembers } from './workspace-members.ts';

/** The actions of one function of the protocol's table: a missing one does not compile, nor does one of another function. */
export type ActionsOf<F extends ActionFunction> = {
  readonly [A in ActionName as (typeof ACTIONS)[A]['function'] extends F ? A : never]: Action<A>;
};

// One table for each function, so that its bundle holds no code that it never runs.

export const sendActions: ActionsOf<'send'> = {
  'message.send': sendMessage,
  'message.edit': editMessage,
  'message.delete': deleteMessage,
};

export const heartbeatActions: ActionsOf<'heartbeat'> = {
  heartbeat,
  'session.end': endSession,
  'presence.watch': watchPresence,
  'presence.unwatch': unwatchPresence,
  'typing.set': setTyping,
};

export const receiptActions: ActionsOf<'receipt'> = {
  'receipt.set': setReceipt,
  'receipts.get': getReceipts,
};

export const syncActions: ActionsOf<'sync'> = {
  'session.start': startSession,
  'log.sync': syncLog,
  'log.page': pageLog,
};

export const conversationActions: ActionsOf<'conversation'> = {
  'conversation.create': createConversation,
  'conversation.get': getConversation,
  'conversation.leave': leaveConversation,
  'conversation.list': listConversations,
  'member.add': addMember,
  'member.remove': removeMember,
  'member.list': listMembers,
  'workspace.members': listWorkspaceMembers,
};
