import { setTimeout as wait } from 'node:timers/promises';
import { LIMITS } from '@parley/protocol';
import type { ClientOptions } from '../../../client/src/index.ts';
import { deliveries } from '../checkers/late.ts';
import type { Finding } from '../checkers/finding.ts';
import { CHECKERS, CHECKER_NAMES } from '../checkers/index.ts';
import { History, type Operation } from '../history/history.ts';
import { faultWindows, operationsOf } from '../history/questions.ts';
import type { Lab } from './lab.ts';
import type { Place } from './place.ts';
import type { Random } from './random.ts';
import { RawDevice } from './raw-device.ts';
import { SdkDevice } from './sdk-device.ts';
import { until } from './until.ts';

export interface RunResult {
  readonly findings: readonly Finding[];
  readonly history: readonly Operation[];
  /** From the end of the last fault until every device had everything; absent when it never did. */
  readonly healMs?: number;
  readonly sends: { readonly ok: number; readonly unknown: number; readonly refused: number };
  readonly tookMs: number;
  /** From the heal until nothing was waited for any more, as far as it was waited. */
  readonly settledMs: number;
  /** What was measured, a line each. */
  readonly figures: readonly string[];
}

/** What everything must be settled in after a fault has healed, by promise P5, and a little, so that late and never are told apart. */
const SETTLE_MS = 65_000;
const ATTEMPTS_MAX = 10;
/** How long it may take until somebody is told that another one types. */
const BESIDE_MS = 10_000;
/** Members of a large group who read the whole log in the end. */
const READERS_MAX = 5;

/** One fault, in a workspace of its own. */
export class Run {
  readonly history = new History();
  private readonly place: Place;
  private readonly devices: (SdkDevice | RawDevice)[] = [];
  private readonly conversations = new Map<string, readonly string[]>();
  private readonly failures: Finding[] = [];
  private readonly figures: string[] = [];
  private bystanders: readonly RawDevice[] = [];
  private readonly startedAtMs = Date.now();

  constructor(
    readonly lab: Pick<Lab, 'heal'> & { readonly app: { readonly url: string; readonly socketUrl: string } },
    readonly random: Random,
    /** How long a run that does not become whole is waited for. */
    readonly settleMs = SETTLE_MS,
  ) {
    const { url, socketUrl } = lab.app;
    this.place = { url, socketUrl, workspaceId: `w-${crypto.randomUUID().slice(0, 8)}` };
  }

  get workspaceId(): string {
    return this.place.workspaceId;
  }

  async sdk(userId: string, device = 'phone', options?: Partial<ClientOptions>): Promise<SdkDevice> {
    const opened = await SdkDevice.open(this.place, this.history, userId, device, options);
    this.devices.push(opened);
    return opened;
  }

  async raw(userId: string, device = 'raw'): Promise<RawDevice> {
    const opened = await RawDevice.open(this.place, this.history, userId, device);
    this.devices.push(opened);
    return opened;
  }

  /** A group of these users, who must have connected before. */
  async group(...userIds: readonly [string, ...string[]]): Promise<string> {
    await this.openBystanders(userIds.at(-1) ?? userIds[0]);
    const founder = await RawDevice.open(this.place, new History(), userIds[0], 'setup');
    try {
      const answer = await founder.ask('conversation.create', {
        clientRequestId: crypto.randomUUID(),
        type: 'group',
        title: 'A room',
        memberIds: userIds.slice(1),
      });
      if (answer.outcome !== 'ok') throw new Error(`the group could not be made: ${answer.code}`);
      const { conversationId } = answer.body.conversation;
      for (const userId of userIds)
        this.history.record('setup', 'ok', 'member', { conversationId, userId, fromSeq: 0 });
      this.conversations.set(conversationId, userIds);
      const theirs = this.devices.filter((device) => device instanceof SdkDevice && userIds.includes(device.userId));
      await until(
        () =>
          theirs.every(
            (device) => device instanceof SdkDevice && device.client.conversation(conversationId) !== undefined,
          ),
        'every device knows the group',
      );
      return conversationId;
    } finally {
      await founder.close();
    }
  }

  /** Who may be told of nothing, whatever happens: one of the workspace who is no member, and a namesake of a member in another workspace. */
  private async openBystanders(userId: string): Promise<void> {
    if (this.bystanders.length > 0) return;
    const elsewhere = { ...this.place, workspaceId: `${this.place.workspaceId}-other` };
    this.bystanders = await Promise.all([
      RawDevice.open(this.place, this.history, 'stranger', 'wire'),
      RawDevice.open(elsewhere, this.history, userId, 'wire', `${userId}@elsewhere`),
    ]);
    this.devices.push(...this.bystanders);
  }

  /** The first member of every conversation types and reads; resolves when whoever listens in it was told. */
  private async talkBesideEntries(): Promise<void> {
    for (const [conversationId, [userId, ...others]] of this.conversations) {
      if (userId === undefined) continue;
      const speaker = await RawDevice.open(this.place, new History(), userId, 'talks');
      const listener = await RawDevice.open(this.place, this.history, others.at(-1) ?? userId, 'listens');
      await speaker.ask('typing.set', { conversationId, typing: true });
      await speaker.ask('receipt.set', { conversationId, deliveredSeq: 1, readSeq: 1 });
      if (others.length > 0 && others.length < LIMITS.receiptPushMembersMax) {
        await until(() => listener.told > 0, 'an event', BESIDE_MS).catch(() => {
          this.expect(false, `${others.at(-1) ?? ''} was not told that ${userId} types in ${conversationId}`);
        });
      }
      await Promise.all([speaker.close(), listener.leave()]);
    }
  }

  /** Removes a member, however often it must be asked. From the number of its answer on the user may be told nothing. */
  async remove(owner: RawDevice, conversationId: string, userId: string): Promise<void> {
    const seq = await this.insist(owner, 'member.remove', conversationId, userId);
    const seat = { conversationId, userId, fromSeq: 0, toSeq: seq };
    this.history.record('setup', 'ok', 'member', seat);
    const left = (this.conversations.get(conversationId) ?? []).filter((other) => other !== userId);
    this.conversations.set(conversationId, left);
  }

  /** Adds a member, who sees what follows. */
  async add(owner: RawDevice, conversationId: string, userId: string): Promise<void> {
    await this.insist(owner, 'member.add', conversationId, userId);
    const asking = await RawDevice.open(this.place, new History(), userId, 'setup');
    const answer = await asking.ask('conversation.get', { conversationId });
    await asking.close();
    if (answer.outcome !== 'ok') throw new Error(`${userId} is no member: ${answer.code}`);
    const fromSeq = answer.body.conversation.me.joinedSeq;
    this.history.record('setup', 'ok', 'member', { conversationId, userId, fromSeq });
    this.conversations.set(conversationId, [...(this.conversations.get(conversationId) ?? []), userId]);
  }

  /** Answers the number of the change. */
  private async insist(
    owner: RawDevice,
    action: 'member.add' | 'member.remove',
    conversationId: string,
    userId: string,
  ): Promise<number> {
    const clientRequestId = crypto.randomUUID();
    for (let attempt = 0; ; attempt++) {
      const answer = await owner.ask(action, { conversationId, clientRequestId, userId });
      if (answer.outcome === 'ok') return answer.body.seq;
      if (attempt >= ATTEMPTS_MAX) throw new Error(`${action} of ${userId}: ${answer.code}`);
      await wait(200);
    }
  }

  /** Reads the log as every member, until nothing is missing in it, and waits until every device has what stands there; for that long at most. */
  async everybodyHas(withinMs: number): Promise<void> {
    const untilMs = Date.now() + withinMs;
    for (const [conversationId, userIds] of this.conversations) {
      for (const userId of userIds.slice(0, READERS_MAX)) await this.readFresh(userId, conversationId, untilMs);
    }
    await this.settle(untilMs);
  }

  /** Something that this fault asserts beside what is checked after every one. */
  expect(holds: boolean, what: string): void {
    if (!holds) this.failures.push({ checker: 'assert', what });
  }

  /** Something that was measured, to be printed with what was found. */
  figure(line: string): void {
    this.figures.push(line);
  }

  /** Heals, waits until it is quiet, reads everything as everybody, and checks the whole history. */
  async finish(): Promise<RunResult> {
    await this.lab.heal();
    const healedAtMs = Date.now();
    await this.settle(healedAtMs + this.settleMs);
    await this.everybodyHas(healedAtMs + this.settleMs - Date.now());
    await this.settleWire(healedAtMs + this.settleMs);
    const settledMs = Date.now() - healedAtMs;
    await this.talkBesideEntries();
    for (const [conversationId, userIds] of this.conversations) {
      for (const device of this.devices) {
        if (device instanceof SdkDevice && userIds.includes(device.userId)) await device.read(conversationId);
      }
    }
    for (const device of this.devices) await device.leave();
    return this.result(settledMs);
  }

  /** Every SDK device has all that was answered or shown to anybody, and waits for no answer. */
  private async settle(untilMs: number): Promise<void> {
    const devices = this.devices.filter((device) => device instanceof SdkDevice);
    const isSettled = (): boolean => {
      if (devices.some((device) => device.unanswered > 0)) return false;
      return haveAll(this.history.operations, devices);
    };
    await until(isSettled, 'quiet', Math.max(0, untilMs - Date.now())).catch(() => undefined);
  }

  /** A device without a client asks for nothing: what is on its way to it is waited for as long as the promise allows, and no shorter. */
  private async settleWire(untilMs: number): Promise<void> {
    const raw = this.devices.filter((device) => device instanceof RawDevice).map(({ process }) => process);
    if (raw.length === 0) return;
    const isDelivered = (): boolean =>
      deliveries(this.history.operations).every(
        ({ process, gotAtMs }) => gotAtMs !== undefined || !raw.includes(process),
      );
    await until(isDelivered, 'delivered', Math.max(0, untilMs - Date.now())).catch(() => undefined);
  }

  private async readFresh(userId: string, conversationId: string, untilMs: number): Promise<void> {
    const fresh = await RawDevice.open(this.place, this.history, userId, 'fresh');
    await fresh.ask('session.start', {});
    await fresh.readAll(conversationId, untilMs);
    await fresh.close();
  }

  private result(settledMs: number): RunResult {
    const history = this.history.operations;
    const found = CHECKER_NAMES.flatMap((name) => CHECKERS[name](history));
    const healMs = timeToHeal(history);
    const count = (type: 'ok' | 'info' | 'fail'): number => operationsOf(history, 'send', type).length;
    return {
      findings: [...this.failures, ...found],
      history,
      ...(healMs !== undefined && { healMs }),
      sends: { ok: count('ok'), unknown: count('info'), refused: count('fail') },
      tookMs: Date.now() - this.startedAtMs,
      settledMs,
      figures: this.figures,
    };
  }
}

/** From the end of the last fault until everybody had everything that was sent before it; undefined when there was no fault, or somebody never had it. */
function timeToHeal(history: readonly Operation[]): number | undefined {
  const endMs = Math.max(...faultWindows(history).map(({ toMs }) => toMs));
  const before = operationsOf(history, 'send', 'invoke').filter(({ atMs }) => atMs <= endMs);
  const keys = new Set(before.map(({ value }) => value.key));
  const waited = deliveries(history).filter(({ entry: { key = '' } }) => keys.has(key));
  const healMs = Math.max(0, ...waited.map(({ gotAtMs = Infinity }) => gotAtMs - endMs));
  return Number.isFinite(endMs) && Number.isFinite(healMs) ? healMs : undefined;
}

/** Whether these devices have every message that anybody knows to be stored, in the conversations that they have; older history aside. */
function haveAll(history: readonly Operation[], devices: readonly SdkDevice[]): boolean {
  const stored = new Map<string, { readonly conversationId: string; readonly seq: number }>();
  for (const { value } of operationsOf(history, 'send', 'ok')) {
    const { conversationId, id = '', seq = 0 } = value;
    stored.set(id, { conversationId, seq });
  }
  for (const { value } of operationsOf(history, 'read', 'ok')) {
    for (const { id, kind, seq } of value.entries) {
      if (kind === 'message') stored.set(id, { conversationId: value.conversationId, seq });
    }
  }
  return devices.every(({ client }) => {
    const shown = new Map<string, { readonly ids: ReadonlySet<string | undefined>; readonly fromSeq: number }>();
    for (const { conversationId } of client.conversations) {
      const messages = client.messages(conversationId).filter(({ id }) => id !== undefined);
      shown.set(conversationId, { ids: new Set(messages.map(({ id }) => id)), fromSeq: messages[0]?.seq ?? 0 });
    }
    return [...stored].every(([id, { conversationId, seq }]) => {
      const theirs = shown.get(conversationId);
      return theirs === undefined || theirs.ids.has(id) || seq < theirs.fromSeq;
    });
  });
}
