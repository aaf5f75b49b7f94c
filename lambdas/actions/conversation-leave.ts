import type { Action } from './action.ts';
import { changeMembers } from './shared/roster-change.ts';

export const leaveConversation: Action<'conversation.leave'> = (body, principal, services) =>
  changeMembers(body, { type: 'remove', userId: principal.userId }, () => undefined, principal, services);
