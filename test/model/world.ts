import type { Entry, Reply } from '@parley/protocol';
import type { ConversationKey } from '../../lambdas/runtime/keys.ts';
import { conversationKey } from '../../lambdas/runtime/keys.ts';
import type { Services } from '../../lambdas/runtime/services.ts';
import { audit, type Audit } from '../lambdas/support/audit.ts';
import { declareVoid } from '../lambdas/support/numbers.ts';
import { Stage, type Socket } from '../lambdas/support/stage.ts';
import { Phone } from './phone.ts';

export const USERS = ['ana', 'ben', 'cleo'] as const;
export type User = (typeof USERS)[number];
export const DEVICES = ['phone', 'tablet'] as const;
/** Who is in which conversation: one of all, and one that Cleo must never hear of. */
export const MEMBERS: readonly (readonly User[])[] = [
  ['ana', 'ben', 'cleo'],
  ['ana', 'ben'],
];

/** The functions on embedded stores, and the people's devices. */
export class World {
  readonly stage: Stage;
  readonly phones: Phone[];
  readonly conversations: string[] = [];
  /** Requests that nobody waits for any more, and that may still arrive. */
  readonly underWay: (() => Promise<unknown>)[] = [];
  /** Attempts of processes that stand still. */
  readonly frozen: { readonly thaw: () => void; readonly ended: Promise<unknown> }[] = [];
  private readonly gone = new Set<string>();

  private constructor(plant: (services: Services) => Services) {
    this.stage = new Stage(plant);
    this.stage.gateway.answer = (connectionId) => (this.gone.has(connectionId) ? 'gone' : 'sent');
    this.phones = USERS.flatMap((userId) => DEVICES.map((deviceId) => new Phone(this.stage, userId, deviceId)));
  }

  /** `plant` replaces ports for every function: a bug that the property must find. */
  static async open(plant: (services: Services) => Services = (services) => services): Promise<World> {
    const world = new World(plant);
    for (const phone of world.phones) await phone.resume();
    for (const members of MEMBERS) {
      const sockets = members.map((userId) => world.phoneOf(userId, 0).online) as [Socket, ...Socket[]];
      world.conversations.push(await world.stage.group(...sockets));
    }
    for (const phone of world.phones) await phone.resume();
    await world.settle();
    return world;
  }

  phoneOf(userId: User, device: number): Phone {
    return this.phones[USERS.indexOf(userId) * DEVICES.length + device]!;
  }

  id(conversation: number): string {
    return this.conversations[conversation]!;
  }

  key(conversation: number): ConversationKey {
    return conversationKey({ workspaceId: 'w1' }, this.id(conversation));
  }

  membersPhones(conversation: number): Phone[] {
    return this.phones.filter(({ userId }) => MEMBERS[conversation]!.includes(userId as User));
  }

  /** A device loses its socket. With `told` the server learns of it, by `$disconnect`; else by the next post. */
  async disconnect(phone: Phone, told: boolean): Promise<void> {
    const socket = phone.lose();
    if (!socket) return;
    this.gone.add(socket.connectionId);
    if (told) await socket.disconnect();
  }

  /** Everything that is under way arrives, and every process goes on. */
  async thaw(): Promise<void> {
    for (const proceed of this.underWay.splice(0)) await proceed();
    const frozen = this.frozen.splice(0);
    for (const { thaw } of frozen) thaw();
    for (const { ended } of frozen) await ended;
    await this.settle();
  }

  /** Everything that was published is delivered, and every device that hears has taken it in. */
  async settle(): Promise<void> {
    await this.stage.settled();
    for (const phone of this.phones) phone.listen();
  }

  /** Closes every number that nobody has used, as `repair` does. */
  async closePending(conversation: number): Promise<void> {
    const key = this.key(conversation);
    for (const seq of (await this.audit(conversation)).pending) {
      const id = await this.stage.directory.idOf(key, seq);
      if (id === undefined) throw new Error(`the id of number ${seq} is not known`);
      await declareVoid(this.stage, key, { id, seq });
    }
  }

  audit(conversation: number): Promise<Audit> {
    return audit(this.stage, this.key(conversation), 'ana');
  }

  /** What was answered must be in the log by now. */
  async expectStored({ conversationId, id, seq }: Reply<'message.send'>): Promise<void> {
    const row = await this.stage.log.get(conversationKey({ workspaceId: 'w1' }, conversationId), id);
    expect(row).toMatchObject({ kind: 'message', seq });
  }

  /** A sender shows its own message without waiting for it to come back. */
  showOwn(phone: Phone, answer: Reply<'message.send'>, clientMessageId: string, text: string): void {
    const { conversationId, id, seq, sentAtMs } = answer;
    const content = { type: 'text', text } as const;
    const entry: Entry = {
      conversationId,
      id,
      seq,
      kind: 'message',
      senderId: phone.userId,
      sentAtMs,
      clientMessageId,
      content,
    };
    phone.of(conversationId).add(entry);
  }
}
