import { compareIds, type Receipt, type Reply } from '@parley/protocol';
import type { Phone } from './phone.ts';
import { MEMBERS, USERS, type User } from './world.ts';

/** One message that somebody wants to send. */
export interface Wanted {
  readonly clientMessageId: string;
  readonly conversation: number;
  readonly userId: User;
  readonly text: string;
  /** The highest number that was answered before it was first sent. */
  readonly after: { readonly seq: number; readonly id: string };
  /** Devices that tried to send it: they get it by a reply, or by asking again, and not by an event. */
  readonly triedFrom: Set<Phone>;
  answer?: Reply<'message.send'>;
}

/** What must hold, as simply as it can be said. */
export class Model {
  readonly wanted: Wanted[] = [];
  /** Devices by number: whether they have a socket. */
  readonly online = USERS.flatMap(() => [true, true]);
  /** Per conversation: the answered number that is highest so far. */
  readonly newest = MEMBERS.map(() => ({ seq: 0, id: '0' }));
  /** Per conversation: how many numbers may lie open, one for each attempt that was disturbed. */
  readonly disturbed = MEMBERS.map(() => 0);
  private readonly receipts = MEMBERS.map(
    (users) => new Map(users.map((userId) => [userId, { deliveredSeq: 0, readSeq: 0 }])),
  );

  want(conversation: number, userId: User, clientMessageId: string): Wanted {
    const text = `message ${this.wanted.length} \u{1F469}\u200d\u{1F4BB}`;
    const wanted: Wanted = {
      clientMessageId,
      conversation,
      userId,
      text,
      after: this.newest[conversation]!,
      triedFrom: new Set(),
    };
    this.wanted.push(wanted);
    return wanted;
  }

  /** Every answer to one message is the same, and its place lies behind all that were answered before it was sent. */
  answered(wanted: Wanted, answer: Reply<'message.send'>): void {
    if (wanted.answer) expect(answer).toEqual(wanted.answer);
    else expect([answer.seq > wanted.after.seq, compareIds(answer.id, wanted.after.id) > 0]).toEqual([true, true]);
    wanted.answer = answer;
    const { seq, id } = answer;
    if (seq > this.newest[wanted.conversation]!.seq) this.newest[wanted.conversation] = { seq, id };
  }

  raise(
    conversation: number,
    userId: User,
    { deliveredSeq, readSeq }: Omit<Receipt, 'userId'>,
  ): Omit<Receipt, 'userId'> {
    const before = this.receipt(conversation, userId);
    const read = Math.max(before.readSeq, readSeq);
    const now = { deliveredSeq: Math.max(before.deliveredSeq, deliveredSeq, read), readSeq: read };
    this.receipts[conversation]!.set(userId, now);
    return now;
  }

  receipt(conversation: number, userId: User): Omit<Receipt, 'userId'> {
    return this.receipts[conversation]!.get(userId)!;
  }
}
