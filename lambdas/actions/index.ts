import type { ActionName } from '@parley/protocol';
import type { Action } from './action.ts';
import { createConversation } from './conversation-create.ts';
import { getConversation } from './conversation-get.ts';
import { listConversations } from './conversation-list.ts';
import { heartbeat } from './heartbeat.ts';
import { pageLog } from './log-page.ts';
import { syncLog } from './log-sync.ts';
import { listMembers } from './member-list.ts';
import { sendMessage } from './message-send.ts';
import { unwatchPresence } from './presence-unwatch.ts';
import { watchPresence } from './presence-watch.ts';
import { setReceipt } from './receipt-set.ts';
import { getReceipts } from './receipts-get.ts';
import { endSession } from './session-end.ts';
import { startSession } from './session-start.ts';
import { setTyping } from './typing-set.ts';
import { listWorkspaceMembers } from './workspace-members.ts';

/** Every action of the protocol's table: a missing one does not compile. */
export const actions: { readonly [A in ActionName]: Action<A> } = {
  'session.start': startSession,
  'session.end': endSession,
  'message.send': sendMessage,
  'log.sync': syncLog,
  'log.page': pageLog,
  'receipt.set': setReceipt,
  'receipts.get': getReceipts,
  heartbeat,
  'presence.watch': watchPresence,
  'presence.unwatch': unwatchPresence,
  'typing.set': setTyping,
  'conversation.create': createConversation,
  'conversation.get': getConversation,
  'conversation.list': listConversations,
  'member.list': listMembers,
  'workspace.members': listWorkspaceMembers,
};
