import { LIMITS } from '@parley/protocol';
import type { Action } from './action.ts';
import { fromPageToken, toPageToken } from './shared/page-token.ts';

export const listWorkspaceMembers: Action<'workspace.members'> = async ({ page }, { workspaceId }, { directory }) => {
  const { items, next } = await directory.workspaceMembers(workspaceId, fromPageToken(page), LIMITS.memberPageMax);
  const nextPage = toPageToken(next);
  return { members: [...items], ...(nextPage !== undefined && { nextPage }) };
};
