import type { LogRow } from '../../lambdas/ports/message-log/port.ts';
import type { Audit } from '../lambdas/support/audit.ts';
import { attempt } from './commands.ts';
import { MEMBERS } from './world.ts';
import type { Model } from './model.ts';
import type { World } from './world.ts';

/** Each closes one stretch of open numbers at least. */
const CLOSING_ROUNDS_MAX = 40;

/** What all runs together came across. */
export interface Seen {
  messages: number;
  voids: number;
  /** Numbers that were still open at the end of the commands. */
  open: number;
  unanswered: number;
}

/** Everything that must hold when the commands are through. */
export async function checkAll(model: Model, world: World, seen?: Seen): Promise<void> {
  await world.thaw();
  world.stage.clock.advance(60_000);
  for (let conversation = 0; conversation < MEMBERS.length; conversation++) {
    const { messages, voids, pending } = await checkLog(model, world, conversation);
    if (seen) {
      seen.messages += messages.length;
      seen.voids += voids.length;
      seen.open += pending.length;
    }
    await checkReceipts(model, world, conversation);
  }
  if (seen) seen.unanswered += model.wanted.filter(({ answer }) => !answer).length;
  // Beside numbers that are still open nobody may miss anything that was said ...
  for (const phone of world.phones) await phone.resume();
  for (let conversation = 0; conversation < MEMBERS.length; conversation++) await checkPhones(world, conversation);
  // ... a client that was never answered goes on asking, and is answered in the end ...
  for (const wanted of model.wanted) {
    if (wanted.answer) continue;
    const frame = await attempt(wanted, world.phoneOf(wanted.userId, 0), world.stage.services, model, world);
    expect(frame).toMatchObject({ ok: true });
  }
  await world.settle();
  // ... and when they are closed, everybody knows that nothing is missing.
  await closeAll(world);
  for (const phone of world.phones) await phone.resume();
  for (let conversation = 0; conversation < MEMBERS.length; conversation++) {
    await checkPhones(world, conversation);
    const { headSeq } = await world.audit(conversation);
    for (const phone of world.membersPhones(conversation)) {
      expect(phone.of(world.id(conversation)).cursor.seq).toBe(headSeq);
    }
  }
}

/** Repair settles the outbox, and whoever syncs has it close the rest: in the end no number is open. */
async function closeAll(world: World): Promise<void> {
  await world.stage.repaired();
  for (let round = 0; round < CLOSING_ROUNDS_MAX; round++) {
    const audits = await Promise.all(MEMBERS.map((_, conversation) => world.audit(conversation)));
    if (audits.every(({ pending }) => pending.length === 0)) return;
    world.stage.clock.advance(60_000);
    await world.phoneOf('ana', 0).resume();
    await world.settle();
  }
  for (const [conversation] of MEMBERS.entries()) expect((await world.audit(conversation)).pending).toEqual([]);
}

/** One entry per message, nothing that nobody said, and no number open without a reason. */
async function checkLog(model: Model, world: World, conversation: number): Promise<Audit> {
  const found = await world.audit(conversation);
  const { messages, pending } = found;
  expect(pending.length).toBeLessThanOrEqual(model.disturbed[conversation]!);
  const byKey = new Map<string, LogRow>();
  for (const row of messages) {
    expect(byKey.has(row.clientMessageId!)).toBe(false);
    byKey.set(row.clientMessageId!, row);
  }
  for (const wanted of model.wanted) {
    if (wanted.conversation !== conversation) continue;
    const row = byKey.get(wanted.clientMessageId);
    byKey.delete(wanted.clientMessageId);
    if (wanted.answer) expect(row).toMatchObject({ id: wanted.answer.id, seq: wanted.answer.seq });
    if (row)
      expect([row.senderId, JSON.parse(row.body!)]).toEqual([
        wanted.userId,
        { content: { type: 'text', text: wanted.text } },
      ]);
  }
  expect([...byKey.keys()]).toEqual([]);
  return found;
}

/** No loss, no duplicate, one order; and nothing for those who are no members. */
async function checkPhones(world: World, conversation: number): Promise<void> {
  const { messages } = await world.audit(conversation);
  const members = world.membersPhones(conversation);
  for (const phone of world.phones) {
    const held = phone.held.get(world.id(conversation));
    if (members.includes(phone)) expect(held?.messages().map(({ id }) => id)).toEqual(messages.map(({ id }) => id));
    else expect(held).toBeUndefined();
  }
}

async function checkReceipts(model: Model, world: World, conversation: number): Promise<void> {
  const { headSeq } = await world.audit(conversation);
  await world.phoneOf('ana', 0).resume();
  const { receipts } = await world
    .phoneOf('ana', 0)
    .online.ok('receipts.get', { conversationId: world.id(conversation) });
  for (const userId of MEMBERS[conversation]!) {
    const expected = model.receipt(conversation, userId);
    expect(receipts).toContainEqual({ userId, ...expected });
    expect([expected.readSeq <= expected.deliveredSeq, expected.deliveredSeq <= headSeq]).toEqual([true, true]);
  }
  for (const { receipts: seen } of world.phones) {
    for (const { conversationId, userId, deliveredSeq, readSeq } of seen) {
      if (conversationId !== world.id(conversation)) continue;
      const holds = model.receipt(conversation, userId as (typeof MEMBERS)[number][number]);
      expect([readSeq <= deliveredSeq, deliveredSeq <= holds.deliveredSeq, readSeq <= holds.readSeq]).toEqual([
        true,
        true,
        true,
      ]);
    }
  }
}
