import { randomUUID } from 'node:crypto';
import { LIMITS, makeId } from '@parley/protocol';
import { conversationKey } from '../../../lambdas/runtime/keys.ts';
import { expectRefused, expectState, inScene, type Table } from '../support/refusals.ts';
import { frameOf } from '../support/wire.ts';
import { message, type Scene, type World } from '../support/world.ts';

const content = { type: 'text' as const, text: 'other words canary-77aa' };
const asked = (conversationId: string) => ({ conversationId, clientRequestId: randomUUID() });

/** A message of the owner from so long ago. */
async function oldMessage({ app }: World, { owner, conversationId }: Scene, agoMs: number): Promise<string> {
  const { log, directory } = app.services;
  const conversation = conversationKey(owner.user, conversationId);
  const head = await directory.head(conversation);
  const wanted = { conversation, id: makeId(Date.now(), 0), step: 1, nonce: randomUUID() };
  const taken = await directory.takeNumber({ ...wanted, rosterVersion: head?.rosterVersion ?? 0 });
  if (!taken.taken) throw new Error('no number was taken');
  const { clientMessageId, content: said } = message(conversationId, 'long ago');
  const row = { conversation, id: taken.id, seq: taken.seq, kind: 'message', senderId: owner.user.userId } as const;
  const times = { sentAtMs: Date.now() - agoMs, expiresAtMs: Date.now() + LIMITS.entryTtlMs };
  await log.insertIfAbsent({ ...row, ...times, clientMessageId, body: JSON.stringify({ content: said }) });
  return taken.id;
}

/** Changes of what was said, and of who is there to hear it. */
export const CHANGES: Table = {
  'state-edit-window': {
    'is refused, and a young message is edited': inScene(async (given, scene) => {
      const { owner, conversationId } = scene;
      const targetId = await oldMessage(given.world, scene, LIMITS.messageEditWindowMs);
      const text = frameOf('message.edit', { ...asked(conversationId), targetId, content });
      await expectRefused(given, owner, 'FORBIDDEN', { text, secrets: ['canary-77aa'] });
      const young = await oldMessage(given.world, scene, LIMITS.messageEditWindowMs - 60_000);
      await owner.call('message.edit', { ...asked(conversationId), targetId: young, content });
    }),
    'of the message of another at any time': inScene(async (given, { other, conversationId, message: { id } }) => {
      const text = frameOf('message.edit', { ...asked(conversationId), targetId: id, content });
      await expectRefused(given, other, 'FORBIDDEN', { text, secrets: ['canary-77aa'] });
    }),
  },
  'state-edit-deleted': {
    'is refused, and a repeat of the delete is answered as before': inScene(
      async (given, { owner, conversationId, message: { id: targetId } }) => {
        const deleting = { ...asked(conversationId), targetId };
        const first = await owner.call('message.delete', deleting);
        expect(await owner.call('message.delete', deleting)).toEqual(first);
        const again = frameOf('message.delete', { ...asked(conversationId), targetId });
        await expectRefused(given, owner, 'NOT_FOUND', again);
        const editing = frameOf('message.edit', { ...asked(conversationId), targetId, content });
        await expectRefused(given, owner, 'NOT_FOUND', { text: editing, secrets: ['canary-77aa'] });
        const { entries } = await owner.call('log.page', { conversationId });
        expect(entries.map(({ kind }) => kind).slice(-2)).toEqual(['delete', 'deleted']);
      },
    ),
  },
  'state-add-member': {
    '(a) oneself, (b) a member': inScene(async (given, { owner, other, conversationId }) => {
      for (const { user } of [owner, other]) {
        const text = frameOf('member.add', { ...asked(conversationId), userId: user.userId });
        await expectRefused(given, owner, 'CONFLICT', text);
      }
    }),
    '(d) a user of another workspace, as one that never was': inScene(async (given, { owner, conversationId }) => {
      const { world } = given;
      const foreign = await world.connect(world.newUser('other'));
      for (const userId of [foreign.user.userId, 'nobody-at-all']) {
        const text = frameOf('member.add', { ...asked(conversationId), userId });
        await expectRefused(given, owner, 'NOT_FOUND', { text, secrets: [userId] });
      }
      expect(foreign.events).toEqual([]);
    }),
    '(e) one more than a group takes': async (given) => {
      const { world } = given;
      const { owner, outsider } = await world.scene();
      const conversationId = `g_${randomUUID()}`;
      const others = Array.from({ length: LIMITS.groupMembersMax - 1 }, (_, i) => `user-${i}`);
      await world.app.services.directory.createConversation({
        ...{ conversation: conversationKey(owner.user, conversationId), type: 'group' as const },
        ...{ createdAtMs: Date.now(), requestHash: 'x' },
        members: [owner.user.userId, ...others].map((userId, i) => ({ userId, role: i === 0 ? 'owner' : 'member' })),
      });
      const text = frameOf('member.add', { ...asked(conversationId), userId: outsider.userId });
      await expectRefused(given, owner, 'FORBIDDEN', text);
    },
    'by somebody who is not the owner': inScene(async (given, { other, outsider, conversationId }) => {
      const text = frameOf('member.add', { ...asked(conversationId), userId: outsider.userId });
      await expectRefused(given, other, 'FORBIDDEN', text);
    }),
  },
  'state-last-owner': {
    'by removing is a conflict; by leaving the group gets another owner': inScene(
      async (given, { owner, other, conversationId }) => {
        const removing = frameOf('member.remove', { ...asked(conversationId), userId: owner.user.userId });
        await expectRefused(given, owner, 'CONFLICT', removing);
        await owner.call('conversation.leave', asked(conversationId));
        const { conversation } = await other.call('conversation.get', { conversationId });
        expect(conversation.members).toEqual([{ userId: other.user.userId, role: 'owner' }]);
        await expectState(given, other);
      },
    ),
  },
};
