import { randomUUID } from 'node:crypto';
import { ACTION_NAMES, type ActionName, type Body } from '@parley/protocol';
import { BODIES } from '../../protocol/valid-bodies.ts';
import type { Scene } from './world.ts';

/** What fields must hold for a body to fit the scene that it is sent in; all others stand as test/protocol/valid-bodies.ts has them. */
const LIVE: Readonly<Record<string, (scene: Scene) => unknown>> = {
  conversationId: ({ conversationId }) => conversationId,
  epoch: ({ epoch }) => epoch,
  cursors: ({ conversationId, epoch }) => ({ [conversationId]: { seq: 0, id: '0', epoch } }),
  heads: ({ conversationId }) => ({ [conversationId]: 0 }),
  after: () => ({ seq: 0, id: '0' }),
  beforeId: ({ message }) => message.id,
  threadId: ({ message }) => message.id,
  replyToId: ({ message }) => message.id,
  mentions: ({ other }) => [other.user.userId],
  memberIds: ({ other }) => [other.user.userId],
  targetId: ({ message }) => message.id,
  userIds: ({ other }) => [other.user.userId],
  deliveredSeq: () => 1,
  readSeq: () => 1,
  clientMessageId: () => randomUUID(),
  clientRequestId: () => randomUUID(),
  // The base64url of "0": a token that any page takes.
  page: () => 'MA',
};

/** The same for one action only. */
const LIVE_IN: Partial<Record<ActionName, typeof LIVE>> = {
  'member.add': { userId: ({ outsider }) => outsider.userId },
  'member.remove': { userId: ({ other }) => other.user.userId },
};

/** A good body of every action, with every field that its schema has, optional ones too. Each call makes a new request. */
export const SAMPLES = Object.fromEntries(
  ACTION_NAMES.map((action) => [action, (scene: Scene) => inScene(action, scene)]),
) as unknown as { readonly [A in ActionName]: (scene: Scene) => Body<A> };

function inScene(action: ActionName, scene: Scene): Record<string, unknown> {
  const live = { ...LIVE, ...LIVE_IN[action] };
  const fields = Object.entries(BODIES[action].most);
  return Object.fromEntries(fields.map(([field, value]) => [field, live[field]?.(scene) ?? value]));
}
