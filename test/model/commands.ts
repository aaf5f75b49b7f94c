import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import type { Reply, ReplyFrame } from '@parley/protocol';
import type { Services } from '../../lambdas/runtime/services.ts';
import { crashAt, freezeAt, lateAt, loseAt, type Moment } from '../lambdas/support/intercept.ts';
import { Shuffle } from '../lambdas/support/shuffle.ts';
import { sendBody } from '../lambdas/support/stage.ts';
import type { Model, Wanted } from './model.ts';
import type { Phone } from './phone.ts';
import { MEMBERS, USERS, type User, type World } from './world.ts';

export type Command = fc.AsyncCommand<Model, World>;

/** What disturbs one attempt: the process dies, or one answer of a store, or the reply itself, never comes. */
export type Fault =
  | { readonly kind: 'none' | 'reply lost' }
  | { readonly kind: 'crash' | 'lose'; readonly n: number; readonly moment: Moment }
  /** A request that arrives long after its sender has given it up; a process that stands still for a while. */
  | { readonly kind: 'late' | 'freeze'; readonly n: number };

const disturb = (services: Services, fault: Fault, world: World): Services => {
  if (fault.kind === 'late') return lateAt(services, fault.n, (proceed) => world.underWay.push(proceed));
  if (fault.kind === 'crash') return crashAt(services, fault.n, fault.moment).services;
  if (fault.kind === 'lose') return loseAt(services, fault.n, fault.moment).services;
  return services;
};

const deviceNumber = (userId: User, device: number): number => USERS.indexOf(userId) * 2 + device;

export abstract class Step implements Command {
  abstract check(model: Model): boolean;
  abstract run(model: Model, world: World): Promise<void>;

  toString(): string {
    return `${this.constructor.name}${JSON.stringify(this)}`;
  }
}

/** One attempt to send, whatever becomes of it. */
export async function attempt(
  wanted: Wanted,
  phone: Phone,
  services: Services,
  model: Model,
  world: World,
): Promise<ReplyFrame<'message.send'>> {
  const { conversation, clientMessageId, text } = wanted;
  wanted.triedFrom.add(phone);
  const body = sendBody(world.id(conversation), text, { clientMessageId });
  const frame: ReplyFrame<'message.send'> = await phone.online.request('message.send', body, services);
  if (frame.ok) {
    await world.expectStored(frame.body);
    model.answered(wanted, frame.body);
    world.showOwn(phone, frame.body, clientMessageId, text);
  }
  return frame;
}

/** Whoever hears has the entry by now. */
async function expectHeard(wanted: Wanted, { id }: Reply<'message.send'>, world: World): Promise<void> {
  await world.settle();
  for (const phone of world.membersPhones(wanted.conversation)) {
    if (phone.hears && !wanted.triedFrom.has(phone)) {
      expect(phone.of(world.id(wanted.conversation)).byId.has(id)).toBe(true);
    }
  }
}

async function disturbedAttempt(wanted: Wanted, phone: Phone, fault: Fault, model: Model, world: World): Promise<void> {
  if (fault.kind === 'reply lost') {
    wanted.triedFrom.add(phone);
    const body = sendBody(world.id(wanted.conversation), wanted.text, { clientMessageId: wanted.clientMessageId });
    await phone.online.request('message.send', body);
    return world.settle();
  }
  if (fault.kind === 'freeze') return frozenAttempt(wanted, phone, fault.n, model, world);
  const isDisturbed = fault.kind !== 'none';
  if (isDisturbed) model.disturbed[wanted.conversation]!++;
  const frame = await attempt(wanted, phone, disturb(world.stage.services, fault, world), model, world);
  if (!isDisturbed) expect(frame).toMatchObject({ ok: true });
  if (frame.ok && !isDisturbed) await expectHeard(wanted, frame.body, world);
  await world.settle();
}

/** It goes on when the world thaws; until then everybody else goes on without it. */
async function frozenAttempt(wanted: Wanted, phone: Phone, n: number, model: Model, world: World): Promise<void> {
  model.disturbed[wanted.conversation]!++;
  const { services, frozen, thaw } = freezeAt(world.stage.services, n);
  const ended = attempt(wanted, phone, services, model, world);
  // What it breaks is told when it is thawed.
  ended.catch(() => undefined);
  world.frozen.push({ thaw, ended });
  await Promise.race([frozen, ended]);
  await world.settle();
}

export class Send extends Step {
  constructor(
    readonly conversation: number,
    readonly by: number,
    readonly device: number,
    readonly fault: Fault,
  ) {
    super();
  }

  private get userId(): User {
    const members = MEMBERS[this.conversation]!;
    return members[this.by % members.length]!;
  }

  check(model: Model): boolean {
    return model.online[deviceNumber(this.userId, this.device)]!;
  }

  async run(model: Model, world: World): Promise<void> {
    const wanted = model.want(this.conversation, this.userId, randomUUID());
    await disturbedAttempt(wanted, world.phoneOf(this.userId, this.device), this.fault, model, world);
  }
}

/** The same message again, from either device. */
export class Repeat extends Step {
  constructor(
    readonly which: number,
    readonly device: number,
    readonly fault: Fault,
  ) {
    super();
  }

  check(model: Model): boolean {
    const wanted = this.find(model);
    return wanted !== undefined && model.online[deviceNumber(wanted.userId, this.device)]!;
  }

  async run(model: Model, world: World): Promise<void> {
    const wanted = this.find(model)!;
    await disturbedAttempt(wanted, world.phoneOf(wanted.userId, this.device), this.fault, model, world);
  }

  private find({ wanted }: Model): Wanted | undefined {
    return wanted[wanted.length - 1 - (this.which % Math.max(1, wanted.length))];
  }
}

/** The same key with another text. */
export class Misuse extends Step {
  constructor(readonly which: number) {
    super();
  }

  check(model: Model): boolean {
    return this.find(model) !== undefined;
  }

  async run(model: Model, world: World): Promise<void> {
    const { conversation, clientMessageId, userId } = this.find(model)!;
    const phone = world.phoneOf(userId, model.online[deviceNumber(userId, 0)] ? 0 : 1);
    const body = sendBody(world.id(conversation), 'something else', { clientMessageId });
    expect(await phone.online.refused('message.send', body)).toMatchObject({ code: 'CONFLICT' });
  }

  private find({ wanted, online }: Model): Wanted | undefined {
    const answered = wanted.filter(
      ({ answer, userId }) => answer && (online[deviceNumber(userId, 0)] ?? online[deviceNumber(userId, 1)]),
    );
    return answered[this.which % Math.max(1, answered.length)];
  }
}

/** Several devices send several messages, and repeat each of them, all at the same moment; perhaps open numbers are closed meanwhile. */
export class Rush extends Step {
  constructor(
    readonly conversation: number,
    readonly messages: number,
    readonly closings: number,
    readonly seed: number,
  ) {
    super();
  }

  check(model: Model): boolean {
    return this.senders(model).length > 0;
  }

  async run(model: Model, world: World): Promise<void> {
    const shuffle = new Shuffle(this.seed);
    const services = shuffle.wrap(world.stage.services);
    const senders = this.senders(model);
    const work: Promise<[Wanted, ReplyFrame<'message.send'>]>[] = [];
    for (let i = 0; i < this.messages; i++) {
      const [userId] = senders[i % senders.length]!;
      const wanted = model.want(this.conversation, userId, randomUUID());
      for (const [user, device] of senders) {
        if (user !== userId) continue;
        for (let copy = 0; copy < 2; copy++) {
          const phone = world.phoneOf(user, device);
          work.push(attempt(wanted, phone, services, model, world).then((frame) => [wanted, frame]));
        }
      }
    }
    const answers = Promise.all(work);
    // A promise that is broken while the closings are awaited is reported below, not as an unhandled rejection.
    answers.catch(() => undefined);
    for (let i = 0; i < this.closings; i++) {
      // Waits for its turn like any other.
      await services.directory.membership(world.key(this.conversation), 'ana');
      await world.closePending(this.conversation);
    }
    for (const [wanted, frame] of await answers) {
      expect(frame).toMatchObject({ ok: true });
      if (frame.ok) await expectHeard(wanted, frame.body, world);
    }
  }

  private senders({ online }: Model): [User, number][] {
    const all = MEMBERS[this.conversation]!.flatMap((userId): [User, number][] => [
      [userId, 0],
      [userId, 1],
    ]);
    return all.filter(([userId, device]) => online[deviceNumber(userId, device)]);
  }
}
