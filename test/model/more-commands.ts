import type { Receipt } from '@parley/protocol';
import { Shuffle } from '../lambdas/support/shuffle.ts';
import { Step } from './commands.ts';
import type { Model } from './model.ts';
import { MEMBERS, type User, type World } from './world.ts';

/** A device loses its socket. */
export class Disconnect extends Step {
  constructor(
    readonly device: number,
    readonly told: boolean,
  ) {
    super();
  }

  check({ online }: Model): boolean {
    return online[this.device]!;
  }

  async run(model: Model, world: World): Promise<void> {
    model.online[this.device] = false;
    await world.disconnect(world.phones[this.device]!, this.told);
  }
}

/** A device opens a new socket, and must have everything that was said then. */
export class Resume extends Step {
  constructor(readonly device: number) {
    super();
  }

  check(): boolean {
    return true;
  }

  async run(model: Model, world: World): Promise<void> {
    model.online[this.device] = true;
    const phone = world.phones[this.device]!;
    await phone.resume();
    for (const [conversation, members] of MEMBERS.entries()) {
      if (!members.includes(phone.userId as User)) continue;
      const { messages } = await world.audit(conversation);
      const held = phone.of(world.id(conversation));
      expect(held.messages().map(({ id }) => id)).toEqual(messages.map(({ id }) => id));
    }
  }
}

/** From now on nothing that is posted to a device arrives, and nobody notices. */
export class GoDeaf extends Step {
  constructor(readonly device: number) {
    super();
  }

  check({ online }: Model): boolean {
    return online[this.device]!;
  }

  run(_model: Model, world: World): Promise<void> {
    world.phones[this.device]!.hears = false;
    return Promise.resolve();
  }
}

/** A member says, several times at the same moment, how far it has got; some of it is old. */
export class SetReceipts extends Step {
  constructor(
    readonly conversation: number,
    readonly by: number,
    readonly parts: readonly { readonly delivered: number; readonly read: number }[],
    readonly seed: number,
  ) {
    super();
  }

  check(model: Model): boolean {
    return this.device(model) !== undefined;
  }

  async run(model: Model, world: World): Promise<void> {
    const device = this.device(model)!;
    const phone = world.phones[device]!;
    const userId = phone.userId as User;
    const conversationId = world.id(this.conversation);
    const { headSeq } = await world.audit(this.conversation);
    const services = new Shuffle(this.seed).wrap(world.stage.services);
    const before = model.receipt(this.conversation, userId);
    const wanted = this.parts.map(({ delivered, read }) => ({
      deliveredSeq: Math.floor(delivered * headSeq),
      readSeq: Math.floor(read * headSeq),
    }));
    const answers = await Promise.all(
      wanted.map((one) => phone.online.ok('receipt.set', { conversationId, ...one }, services)),
    );
    for (const one of wanted) model.raise(this.conversation, userId, one);
    const now = model.receipt(this.conversation, userId);
    for (const [i, answer] of answers.entries()) this.expectBetween(answer, before, wanted[i]!, now);
    expect(await phone.online.ok('receipt.set', { conversationId })).toEqual(now);
    await world.settle();
  }

  /** What held at some moment between the call and its answer. */
  private expectBetween(answer: Held, before: Held, wanted: Held, now: Held): void {
    expect(answer.readSeq).toBeGreaterThanOrEqual(Math.max(before.readSeq, wanted.readSeq));
    expect(answer.readSeq).toBeLessThanOrEqual(now.readSeq);
    expect(answer.deliveredSeq).toBeGreaterThanOrEqual(
      Math.max(before.deliveredSeq, wanted.deliveredSeq, answer.readSeq),
    );
    expect(answer.deliveredSeq).toBeLessThanOrEqual(now.deliveredSeq);
  }

  private device({ online }: Model): number | undefined {
    const members = MEMBERS[this.conversation]!;
    const first = (this.by % members.length) * 2;
    return [first, first + 1].find((device) => online[device]);
  }
}

type Held = Omit<Receipt, 'userId'>;

/** The clock of the functions goes on, or jumps. */
export class MoveClock extends Step {
  constructor(readonly ms: number) {
    super();
  }

  check(): boolean {
    return true;
  }

  run(_model: Model, world: World): Promise<void> {
    world.stage.clock.advance(this.ms);
    return Promise.resolve();
  }
}

/** Numbers that nobody has used are declared void; their senders may still come. */
export class CloseNumbers extends Step {
  constructor(readonly conversation: number) {
    super();
  }

  check(): boolean {
    return true;
  }

  run(_model: Model, world: World): Promise<void> {
    return world.closePending(this.conversation);
  }
}

/** What stood still goes on, and what was under way arrives. */
export class Thaw extends Step {
  check(): boolean {
    return true;
  }

  run(_model: Model, world: World): Promise<void> {
    return world.thaw();
  }
}

/** The outbox is settled: every message in it reaches whoever hears, or its number is void. */
export class Repair extends Step {
  check(): boolean {
    return true;
  }

  async run(_model: Model, world: World): Promise<void> {
    const told = world.stage.outbox.flatMap(({ dynamodb }) => dynamodb?.NewImage?.['id']?.N ?? []);
    await world.stage.repaired();
    await world.settle();
    for (const [conversation] of MEMBERS.entries()) {
      const { messages } = await world.audit(conversation);
      const due = messages.filter(({ id }) => told.includes(id));
      for (const phone of world.membersPhones(conversation)) {
        if (!phone.hears) continue;
        const held = phone.of(world.id(conversation)).byId;
        expect(due.filter(({ id, senderId }) => senderId !== phone.userId && !held.has(id))).toEqual([]);
      }
    }
  }
}
