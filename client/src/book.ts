import { LIMITS } from '@parley/protocol';
import type { Conversation, Entry, EventBody, Reply } from '@parley/protocol';
import { ConversationState, isMessage } from './conversation.ts';
import type { Emitter } from './emitter.ts';
import type { Settings } from './options.ts';
import type { Cursors } from './session.ts';
import { logKey, type Store, type StoredConversation } from './store.ts';
import { Timeline } from './timeline.ts';
import type { ConversationView, Message } from './types.ts';

type Resumed = Reply<'session.start'>['conversations'][number];

/** What an answer of the server claims: nothing is missing after `afterSeq` up to `completeToSeq`. */
export interface Whole {
  readonly afterSeq: number;
  readonly completeToSeq: number;
}

export interface BookHooks {
  /** Own messages that the server does not have yet. */
  queued(conversationId: string): readonly Message[];
  /** Entries that were not known before, in the same turn as they are taken in. */
  added(state: ConversationState, entries: readonly Entry[]): void;
  /** More has changed than an entry says: the conversation must be asked for. */
  outdated(state: ConversationState): void;
  /** Numbers are missing that may still come by themselves. */
  gap(state: ConversationState): void;
  /** Numbers are missing that nobody will send by himself, or the log is broken. */
  behind(state: ConversationState): void;
}

/** A frame must stay below 32 KB, and browsers cannot split one: conversations beyond this answer as new ones. */
const CURSORS_MAX_CHARS = 28_000;

/** All conversations of the user, and everything that the server says about them. */
export class Book {
  userId = '';
  private states = new Map<string, ConversationState>();
  private views: readonly ConversationView[] | undefined;
  /** Before the first answer to a client that holds nothing, all entries are history. */
  private blank = true;
  /** Known when the session was started, and not answered yet. */
  private unanswered = new Set<string>();

  constructor(
    private readonly settings: Settings,
    private readonly store: Store,
    private readonly emitter: Emitter,
    private readonly hooks: BookHooks,
  ) {}

  get(conversationId: string): ConversationState | undefined {
    return this.states.get(conversationId);
  }

  /** Newest activity first. The same array until something changes. */
  list(): readonly ConversationView[] {
    return (this.views ??= [...this.states.values()]
      .map((state) => state.view())
      .sort((a, b) => activityOf(b) - activityOf(a)));
  }

  /** Those that the server has, newest activity first. */
  newest(count: number): ConversationState[] {
    return this.list()
      .filter(({ gone }) => !gone)
      .slice(0, count)
      .flatMap(({ conversationId }) => this.states.get(conversationId) ?? []);
  }

  /** What to start a session from. */
  cursors(): Cursors {
    const cursors: Cursors = {};
    let chars = 0;
    const states = this.newest(Number.MAX_SAFE_INTEGER);
    this.unanswered = new Set(states.map(({ id }) => id));
    for (const state of states) {
      const cursor = { ...state.timeline.cursor, epoch: state.timeline.epoch };
      // Where not even the beginning is held, the newest entries are wanted rather than all.
      if (cursor.seq === 0 && state.timeline.hasOlder) continue;
      chars += state.id.length + JSON.stringify(cursor).length + 4;
      if (chars > CURSORS_MAX_CHARS) break;
      cursors[state.id] = cursor;
    }
    return cursors;
  }

  /** Shows what the storage holds for this user, and nothing else. `entries` by conversation and epoch, see `Store.entries`. */
  load(userId: string, conversations: readonly StoredConversation[], entries: ReadonlyMap<string, Entry[]>): void {
    this.userId = userId;
    this.states = new Map();
    this.blank = conversations.length === 0;
    for (const stored of conversations) {
      const { conversationId, epoch } = stored.info;
      this.restore(stored, entries.get(logKey(conversationId, epoch)) ?? []);
    }
    this.views = undefined;
    this.emitter.change();
  }

  /** Takes one page of the answer to `session.start`. */
  started({ conversations, gone, nextPage }: Reply<'session.start'>, sent: Cursors): void {
    for (const resumed of conversations) {
      this.unanswered.delete(resumed.conversationId);
      this.resume(resumed, sent[resumed.conversationId]);
    }
    for (const id of gone) this.removeId(id);
    if (nextPage !== undefined) return;
    // Without a cursor every conversation is answered: the ones that are missing went away.
    for (const id of this.unanswered) if (sent[id] === undefined) this.removeId(id);
    this.blank = false;
  }

  /** Takes a conversation that was created or became known, and fetches what is in it. */
  adopt(info: Conversation): ConversationState {
    const known = this.knownAs(info);
    if (known?.timeline.epoch === info.epoch && !known.gone) {
      known.update(info);
      this.touch(known);
      if (known.timeline.behind) this.hooks.gap(known);
      return known;
    }
    const state = this.make(info, new Timeline(info.epoch, 1, 1, this.settings.strict));
    state.quietToSeq = known?.timeline.held ?? info.me.joinedSeq;
    // A long log is read from its end.
    state.broken = info.headSeq > LIMITS.syncLimitMax;
    this.touch(state);
    this.emitter.emit('conversation', { conversationId: state.id, change: 'added' });
    if (state.timeline.behind) this.hooks.behind(state);
    return state;
  }

  settingsChanged({ change, conversation }: EventBody<'conversation'>): void {
    const known = this.states.get(conversation.conversationId);
    if (change === 'removed') {
      if (known) this.remove(known);
    } else {
      this.adopt(conversation);
      if (known && change === 'settings') this.emitter.emit('conversation', { conversationId: known.id, change });
    }
  }

  /** The server has it no more. It stays, marked, while it holds what the user has written and nobody has got. */
  remove(state: ConversationState): void {
    if (this.states.get(state.id) !== state || state.gone) return;
    state.gone = true;
    state.typing.clear();
    this.touch(state);
    this.queueChanged(state.id);
    this.emitter.emit('conversation', { conversationId: state.id, change: 'removed' });
  }

  /** Shows what is on its way now; a conversation that is gone leaves with the last of it. */
  queueChanged(conversationId: string): void {
    const state = this.states.get(conversationId);
    if (!state) return;
    if (!state.gone || this.hooks.queued(conversationId).length > 0) {
      this.show(state);
      return;
    }
    this.states.delete(conversationId);
    this.forgetEntries(state);
    this.store.deleteConversation(conversationId);
    this.views = undefined;
    this.emitter.change();
  }

  /** Takes entries from any source. Stored together with the cursor that follows from them. */
  take(state: ConversationState, entries: readonly Entry[], whole?: Whole, headSeq = 0): void {
    if (this.states.get(state.id) !== state || state.gone) return;
    const { timeline } = state;
    const { added, blanked, shown, conflict } = timeline.insert(entries, whole);
    timeline.headSeq = Math.max(timeline.headSeq, headSeq);
    this.keep(state, [...added, ...blanked]);
    for (const entry of added) {
      if (entry.kind === 'member' && state.memberChanged(entry)) this.hooks.outdated(state);
    }
    this.hooks.added(state, added);
    timeline.trim(this.settings.memoryEntriesMax);
    this.touch(state);
    for (const entry of shown) if (entry.seq > state.quietToSeq) this.announce(state, entry);
    if (conflict) this.breaks(state);
    else if (timeline.behind) this.hooks.gap(state);
  }

  /** Takes a page of history; nothing of it is announced. */
  takeOlder(state: ConversationState, newestFirst: readonly Entry[], reachesBottom: boolean): void {
    this.keep(state, state.timeline.prepend(newestFirst, reachesBottom));
    this.touch(state);
  }

  /** Drops what is known of the log and goes on from the `newestFirst` entries: older ones are history from here on. */
  restart(state: ConversationState, info: Conversation, newestFirst: readonly Entry[], reachesBottom: boolean): void {
    const { held } = state.timeline;
    this.forgetEntries(state);
    const floor = newestFirst.at(-1)?.seq ?? 1;
    // A head below what was held: the server lost its log, and a new one begins.
    const anew = info.headSeq < held;
    if (anew) state.forgetReceipts(info);
    state.quietToSeq = anew ? 0 : Math.max(state.quietToSeq, held);
    state.broken = false;
    state.timeline = new Timeline(info.epoch, floor, reachesBottom ? floor : undefined, this.settings.strict);
    state.update(info);
    this.take(state, newestFirst);
  }

  /** Something lasting of the conversation changed: store it, and show it anew. */
  touch(state: ConversationState): void {
    if (this.states.get(state.id) === state) this.store.putConversation(state.id, () => state.toStored());
    this.show(state);
  }

  /** Something passing changed: only show it anew. */
  show(state: ConversationState): void {
    state.changed();
    this.views = undefined;
    this.emitter.change();
  }

  private breaks(state: ConversationState): void {
    state.broken = true;
    this.hooks.behind(state);
  }

  private removeId(conversationId: string): void {
    const state = this.states.get(conversationId);
    if (state) this.remove(state);
  }

  private resume(resumed: Resumed, sent: Cursors[string] | undefined): void {
    const { entries, completeToSeq, limited, ...info } = resumed;
    const known = this.knownAs(info);
    const nothingHeld = sent === undefined && known?.timeline.cursor.seq === 0;
    if (known?.timeline.epoch === info.epoch && !nothingHeld && !known.gone) {
      known.update(info);
      // Heads never go back: the server has lost its log and begun another one.
      if (sent !== undefined && info.headSeq < sent.seq) {
        this.breaks(known);
        return;
      }
      const first = entries[0]?.seq ?? completeToSeq + 1;
      // A server that could not use the cursor answers with the newest entries, which say nothing about those before.
      const follows = sent !== undefined && (!limited || first === sent.seq + 1);
      this.take(known, entries, { afterSeq: follows ? sent.seq : first - 1, completeToSeq }, info.headSeq);
      return;
    }
    const floor = entries[0]?.seq ?? completeToSeq + 1;
    const state = this.make(info, new Timeline(info.epoch, floor, limited ? undefined : floor, this.settings.strict));
    const history = entries.length > 0 ? completeToSeq : info.headSeq;
    state.quietToSeq = known
      ? Math.max(known.timeline.held, known.quietToSeq)
      : this.blank
        ? history
        : info.me.joinedSeq;
    if (!known || known.gone) this.emitter.emit('conversation', { conversationId: state.id, change: 'added' });
    // The answer had no room for entries: they are asked for one by one.
    state.broken = limited && entries.length === 0;
    this.take(state, entries, { afterSeq: floor - 1, completeToSeq }, info.headSeq);
  }

  /** Undefined where one that was gone begins anew: what was held then says nothing about the new log. */
  private knownAs({ conversationId, headSeq }: Conversation): ConversationState | undefined {
    const known = this.states.get(conversationId);
    return known?.gone && headSeq < known.timeline.held ? undefined : known;
  }

  private make(info: Conversation, timeline: Timeline): ConversationState {
    const known = this.states.get(info.conversationId);
    if (known) this.forgetEntries(known);
    const state = new ConversationState(info, timeline, this.userId, (id) => this.hooks.queued(id));
    this.states.set(state.id, state);
    return state;
  }

  private restore(stored: StoredConversation, entries: readonly Entry[]): void {
    const { info, cursor } = stored;
    const kept = entries.filter((entry) => entry.seq <= cursor.seq);
    // Another tab may have thinned the entries out: only the stretch right before the cursor is surely whole.
    let start = kept.length;
    while (start > 0 && kept[start - 1]?.seq === cursor.seq - (kept.length - start)) start--;
    const floor = kept[start]?.seq ?? 1;
    const whole = cursor.seq === 0 || start < kept.length;
    const timeline = new Timeline(info.epoch, floor, whole ? stored.bottom : undefined, this.settings.strict);
    if (whole) timeline.insert([...kept.slice(start), ...entries.filter((entry) => entry.seq > cursor.seq)]);
    timeline.headSeq = Math.max(timeline.headSeq, stored.headSeq);
    const state = this.make(info, timeline);
    state.quietToSeq = whole ? 0 : cursor.seq;
    state.gone = stored.gone === true;
    state.want(stored);
    for (const receipt of stored.receipts) state.setReceipt(receipt);
  }

  private keep(state: ConversationState, added: readonly Entry[]): void {
    const { timeline } = state;
    const { storedEntriesMax } = this.settings;
    const oldest = (timeline.newest(1)[0]?.seq ?? 0) - storedEntriesMax;
    for (const entry of added) {
      if (entry.seq <= oldest) continue;
      this.store.putEntry(timeline.epoch, entry);
      if (entry.seq > storedEntriesMax) this.store.deleteEntry(state.id, timeline.epoch, entry.seq - storedEntriesMax);
    }
  }

  private forgetEntries(state: ConversationState): void {
    const { timeline } = state;
    for (const { seq } of timeline.newest(this.settings.storedEntriesMax))
      this.store.deleteEntry(state.id, timeline.epoch, seq);
  }

  private announce(state: ConversationState, entry: Entry): void {
    // Voids, and kinds of later versions, count and are not shown.
    if (!ANNOUNCED.has(entry.kind)) return;
    this.emitter.emit('entry', entry);
    if (isMessage(entry)) this.emitter.emit('message', state.message(entry));
  }
}

const ANNOUNCED: ReadonlySet<string> = new Set(['message', 'edit', 'delete', 'member'] satisfies Entry['kind'][]);

function activityOf(view: ConversationView): number {
  return view.lastMessage?.sentAtMs ?? view.createdAtMs;
}
