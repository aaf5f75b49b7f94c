import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import type { ActionName, Entry, Reply } from '@parley/protocol';
import { toEntry } from '../../lambdas/actions/shared/entries.ts';
import type { DedupeRow, RosterRequest } from '../../lambdas/ports/directory/port.ts';
import type { LogRow } from '../../lambdas/ports/message-log/port.ts';
import type { ConversationKey } from '../../lambdas/runtime/keys.ts';
import type { Services } from '../../lambdas/runtime/services.ts';
import { audit } from '../lambdas/support/audit.ts';
import { crashAt, loseAt, replace, type Moment } from '../lambdas/support/intercept.ts';
import { Stage, type Socket } from '../lambdas/support/stage.ts';

export const PEOPLE = ['ana', 'ben', 'cleo'] as const;
type Person = (typeof PEOPLE)[number];
type Answer = Reply<'message.send'>;
type Asking =
  'message.send' | 'message.edit' | 'message.delete' | 'member.add' | 'member.remove' | 'conversation.leave';

/** What disturbs one attempt, at which call of a port. */
export type Trouble = { readonly n: number; readonly moment: Moment; readonly kind: 'crash' | 'lose' } | undefined;

/** Something that somebody asked for, with one key, once or more often. */
interface Request {
  readonly action: Asking;
  readonly by: Person;
  readonly key: string;
  readonly body: object;
  answer?: Answer;
}

/** What is said, edited, deleted, and who comes and goes, in one group; and what must hold at the end. */
export class Group {
  readonly requests: Request[] = [];
  /** Texts of each message by its number here: they name it, so that a leftover is recognized. */
  private messages = 0;
  private readonly sockets = new Map<Person, Socket>();
  /** From which number on, and up to which, each person was a member: as the directory has changed. */
  private readonly stays = new Map<Person, { from: number; to: number }[]>();
  private conversationId = '';

  private constructor(readonly stage: Stage) {}

  static async open(plant: (services: Services) => Services): Promise<Group> {
    const changed: ((request: RosterRequest, row: DedupeRow) => void)[] = [];
    const watch = (services: Services): Services =>
      replace(services, 'directory', {
        changeRoster: async ({ args, proceed }) => {
          const row = (await proceed()) as DedupeRow | undefined;
          if (row) for (const note of changed) note(args[0] as RosterRequest, row);
          return row;
        },
      });
    const group = new Group(new Stage((services) => plant(watch(services))));
    changed.push(({ change }, { seq }) => group.noteChange(change.userId as Person, change.type, seq));
    for (const person of PEOPLE) group.sockets.set(person, await group.stage.connect(person));
    group.conversationId = await group.stage.group(group.socket('ana'), group.socket('ben'));
    for (const person of ['ana', 'ben'] as const) group.stays.set(person, [{ from: 0, to: Infinity }]);
    return group;
  }

  get key(): ConversationKey {
    return this.socket('ana').keyOf(this.conversationId);
  }

  /** A message that was asked for, and is stored as far as its sender knows. */
  said(which: number): { readonly id: string; readonly number: number; readonly by: Person } | undefined {
    const sent = this.requests.flatMap(({ action, by, answer, body }) =>
      action === 'message.send' && answer ? [{ id: answer.id, by, number: (body as { number: number }).number }] : [],
    );
    return sent[which % Math.max(1, sent.length)];
  }

  say(by: Person, trouble: Trouble): Promise<void> {
    const number = this.messages++;
    return this.ask('message.send', by, { number, content: contentOf(number, 'said') }, trouble);
  }

  edit(which: number, trouble: Trouble): Promise<void> {
    const message = this.said(which);
    if (!message) return Promise.resolve();
    const { id: targetId, by, number } = message;
    return this.ask('message.edit', by, { targetId, content: contentOf(number, `edited ${randomUUID()}`) }, trouble);
  }

  delete(which: number, by: Person, trouble: Trouble): Promise<void> {
    const message = this.said(which);
    return message ? this.ask('message.delete', by, { targetId: message.id }, trouble) : Promise.resolve();
  }

  ask(action: Asking, by: Person, body: object, trouble: Trouble): Promise<void> {
    const request: Request = { action, by, key: randomUUID(), body };
    this.requests.push(request);
    return this.attempt(request, trouble);
  }

  /** The same with the same key: from the same answer there is no way back. */
  async attempt(request: Request, trouble?: Trouble): Promise<void> {
    const { action, by, key, body } = request;
    const { services } = this.stage;
    const disturbed =
      trouble && (trouble.kind === 'crash' ? crashAt : loseAt)(services, trouble.n, trouble.moment).services;
    const named = action === 'message.send' ? { clientMessageId: key } : { clientRequestId: key };
    const { number: _, ...rest } = body as { number?: number };
    const asked = { conversationId: this.conversationId, ...named, ...rest };
    const frame = await this.socket(by).request<ActionName>(action, asked, disturbed ?? services);
    if (frame.ok) {
      const answer = frame.body as Answer;
      if (request.answer) expect(answer).toEqual(request.answer);
      request.answer = answer;
    } else if (!trouble) {
      expect(['NOT_FOUND', 'FORBIDDEN', 'CONFLICT']).toContain(frame.error.code);
    }
    await this.stage.settled();
  }

  /** Whoever is a member reads, long after; holes are closed by it. */
  async look(): Promise<void> {
    this.stage.clock.advance(20_000);
    for (const person of PEOPLE) {
      const asked = { conversationId: this.conversationId, after: { seq: 0, id: '0' } };
      await this.socket(person).request('log.sync', asked);
    }
    await this.stage.settled();
  }

  /** Everything that must hold when all is quiet. */
  async check(): Promise<void> {
    await this.stage.repaired();
    for (const request of this.requests) if (!request.answer) await this.attempt(request);
    await this.stage.repaired();
    await this.look();
    await this.stage.repaired();
    await this.look();
    const rows = await this.stage.log.after(this.key, '0', 500);
    this.checkRequests(rows);
    this.checkDeletes(rows);
    await this.checkMembers(rows);
    this.checkEvents();
  }

  /** One entry for each request that was answered, at most one for each other. */
  private checkRequests(rows: readonly LogRow[]): void {
    for (const { action, by, key, answer } of this.requests) {
      const found = rows.filter((row) => row.senderId === by && row.clientMessageId === key);
      expect(found.length).toBeLessThanOrEqual(1);
      if (answer) expect({ action, found }).toMatchObject({ action, found: [{ id: answer.id, seq: answer.seq }] });
    }
  }

  /** What was deleted has left nothing, and whatever has lost its words was deleted. */
  private checkDeletes(rows: readonly LogRow[]): void {
    const numberOf = (id: string): number | undefined => {
      const sent = this.requests.find(({ action, answer }) => action === 'message.send' && answer?.id === id);
      return (sent?.body as { number?: number } | undefined)?.number;
    };
    const deleted = rows.flatMap(({ kind, targetId }) => (kind === 'delete' ? [targetId] : []));
    for (const id of deleted) {
      const left = rows.filter(({ body = '' }) => body.includes(wordOf(numberOf(id ?? '') ?? -1)));
      expect(left).toEqual([]);
      expect(rows.find((row) => row.id === id)).toMatchObject({ kind: 'deleted' });
    }
    const blank = rows.filter(({ kind, targetId }) => kind === 'deleted' && targetId === undefined);
    expect(blank.filter(({ id }) => !deleted.includes(id))).toEqual([]);
  }

  /** The log tells of the members that there are, one of them owns the group, and each reads all since joining. */
  private async checkMembers(rows: readonly LogRow[]): Promise<void> {
    const { items } = await this.stage.directory.members(this.key, undefined, 10);
    const told = new Set<string>(['ana', 'ben']);
    for (const entry of rows.map(toEntry)) {
      if (entry.kind !== 'member') continue;
      if (entry.change === 'joined') told.add(entry.userId);
      else told.delete(entry.userId);
    }
    expect(items.map(({ userId }) => userId).sort()).toEqual([...told].sort());
    if (items.length > 0) expect(items.filter(({ role }) => role === 'owner')).toHaveLength(1);
    for (const { userId, joinedSeq } of items) {
      const { pending, headSeq } = await audit(this.stage, this.key, userId);
      expect(pending).toEqual([]);
      const asked = { conversationId: this.conversationId, after: { seq: 0, id: '0' }, limit: 200 };
      const answer = await this.socket(userId as Person).ok('log.sync', asked);
      const seen = rows.filter(({ seq }) => seq > joinedSeq).map(toEntry);
      expect(answer).toMatchObject({ entries: seen, completeToSeq: headSeq, limited: false });
    }
  }

  /** Nobody has heard what was said before joining, or after leaving. */
  private checkEvents(): void {
    for (const [person, socket] of this.sockets) {
      const heard = socket.events.flatMap(({ type, body }): Entry[] => (type === 'entry' ? [body] : []));
      const stays = this.stays.get(person) ?? [];
      expect(heard.filter(({ seq }) => !stays.some(({ from, to }) => seq >= from && seq < to))).toEqual([]);
    }
  }

  private noteChange(person: Person, type: 'add' | 'remove', seq: number): void {
    const stays = this.stays.get(person) ?? [];
    const last = stays.at(-1);
    if (type === 'add') this.stays.set(person, [...stays, { from: seq, to: Infinity }]);
    else if (last) last.to = seq;
  }

  private socket(person: Person): Socket {
    const socket = this.sockets.get(person);
    if (!socket) throw new Error(`${person} has no socket`);
    return socket;
  }
}

const wordOf = (number: number): string => `word${String(number)}.`;
const contentOf = (number: number, text: string) => ({ type: 'text', text: `${wordOf(number)} ${text}` });

const CALLS_MAX = 16;
const person = fc.constantFrom(...PEOPLE);
const which = fc.nat(4);
const trouble: fc.Arbitrary<Trouble> = fc.oneof(
  { weight: 3, arbitrary: fc.constant(undefined) },
  {
    weight: 2,
    arbitrary: fc.record({
      n: fc.integer({ min: 2, max: CALLS_MAX }),
      moment: fc.constantFrom('before', 'after'),
      kind: fc.constantFrom('crash', 'lose'),
    }),
  },
);
type Step = (group: Group) => Promise<void>;

const step: fc.Arbitrary<Step> = fc.oneof(
  fc.tuple(person, trouble).map(
    ([by, t]): Step =>
      (group) =>
        group.say(by, t),
  ),
  fc.tuple(which, trouble).map(
    ([n, t]): Step =>
      (group) =>
        group.edit(n, t),
  ),
  fc.tuple(which, person, trouble).map(
    ([n, by, t]): Step =>
      (group) =>
        group.delete(n, by, t),
  ),
  fc.tuple(fc.constantFrom('member.add', 'member.remove'), person, person, trouble).map(
    ([action, by, userId, t]): Step =>
      (group) =>
        group.ask(action, by, { userId }, t),
  ),
  fc.tuple(person, trouble).map(
    ([by, t]): Step =>
      (group) =>
        group.ask('conversation.leave', by, {}, t),
  ),
  fc.tuple(which, trouble).map(([n, t]): Step => async (group) => {
    const request = group.requests[n % Math.max(1, group.requests.length)];
    if (request) await group.attempt(request, t);
  }),
  fc.constant<Step>((group) => group.stage.repaired()),
  fc.constant<Step>((group) => group.look()),
);

/** Whatever is asked for and whatever fails: what is deleted is gone, what has changed is told, and nobody hears what is not for them. */
export function changesHold(plant: (services: Services) => Services = (services) => services) {
  return fc.asyncProperty(fc.array(step, { maxLength: 30, size: 'max' }), async (steps) => {
    const group = await Group.open(plant);
    for (const take of steps) await take(group);
    await group.check();
    group.stage.stream.close();
  });
}
