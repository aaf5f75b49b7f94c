import { createHash } from 'node:crypto';
import { appendFileSync } from 'node:fs';

/** An entry as somebody got it. */
export interface Seen {
  readonly id: string;
  readonly seq: number;
  readonly kind: string;
  /** The client's key of a message. */
  readonly key?: string;
  readonly text?: string;
}

/** What an operation is about, by the name of its function. */
export interface Values {
  /** A message was asked to be sent; with its numbers once they are known. */
  send: {
    readonly conversationId: string;
    readonly key: string;
    readonly text: string;
    readonly id?: string;
    readonly seq?: number;
    readonly code?: string;
  };
  /** A device got an entry on a socket, in whatever order, however often. */
  receive: Seen & { readonly conversationId: string };
  /** A device showed an entry to its user: after its own dedupe and ordering. */
  show: Seen & { readonly conversationId: string };
  /** All that a device shows, or, for a process called `…/fresh`, all that the server answers to a device that knows nothing. */
  read: { readonly conversationId: string; readonly entries: readonly Seen[]; readonly headSeq: number };
  receipt: {
    readonly conversationId: string;
    readonly userId: string;
    readonly deliveredSeq: number;
    readonly readSeq: number;
  };
  /** A raw device got an event that is no entry, of whatever type; of a conversation, or of the presence of somebody. */
  event: { readonly type: string; readonly conversationId?: string; readonly userId?: string };
  /** Who may see what: entries above `fromSeq`, up to `toSeq`. */
  member: {
    readonly conversationId: string;
    readonly userId: string;
    readonly fromSeq: number;
    readonly toSeq?: number;
  };
  /** A message was deleted: nobody may be told or show its text from here on. Or its time is over: then the server may not tell of it at all. */
  remove: { readonly conversationId: string; readonly id: string; readonly expiredSeq?: number };
  /** A device is connected, or is not. One that does not sync gets only what is sent while it is connected, and of its own only answers. */
  online: { readonly online: boolean; readonly syncs: boolean };
  fault: { readonly name: string; readonly phase: 'begin' | 'end' };
}

export type Function = keyof Values;

/** `info`: nobody knows whether it took effect. A time-out is that, and never a failure. */
export type Outcome = 'invoke' | 'ok' | 'fail' | 'info';

export type Operation<F extends Function = Function> = {
  [G in F]: {
    /** `{user}/{device}`, or the name of whatever injects faults. */
    readonly process: string;
    readonly type: Outcome;
    readonly f: G;
    readonly value: Values[G];
    /** Ms since the Unix epoch, of the one clock of the harness. */
    readonly atMs: number;
  };
}[F];

/** Everything that happened, in the order in which the harness learned of it. */
export class History {
  readonly operations: Operation[] = [];

  constructor(private readonly options: { readonly now?: () => number; readonly file?: string } = {}) {}

  record<F extends Function>(process: string, type: Outcome, f: F, value: Values[F]): void {
    const { now = Date.now, file } = this.options;
    const operation = { process, type, f, value: brief(value), atMs: now() } as unknown as Operation;
    this.operations.push(operation);
    if (file !== undefined) appendFileSync(file, `${JSON.stringify(operation)}\n`);
  }

  /** A fault holds from the call to the call of what it answers. */
  begin(name: string): () => void {
    this.record('nemesis', 'info', 'fault', { name, phase: 'begin' });
    return () => this.record('nemesis', 'info', 'fault', { name, phase: 'end' });
  }
}

/** A flood of long texts, as every device saw it, fits in no file: what is long stands as its hash, which tells texts apart as well. */
const TEXT_MAX_CHARS = 256;

function brief<V extends object>(value: V): V {
  const { text, entries } = value as { readonly text?: string; readonly entries?: readonly Seen[] };
  return {
    ...value,
    ...(text !== undefined && text.length > TEXT_MAX_CHARS && { text: hashOf(text) }),
    ...(entries && { entries: entries.map(brief) }),
  };
}

function hashOf(text: string): string {
  return `${text.length} characters, sha256 ${createHash('sha256').update(text).digest('hex')}`;
}

export function toJsonl(operations: readonly Operation[]): string {
  return operations.map((operation) => `${JSON.stringify(operation)}\n`).join('');
}

export function parseJsonl(text: string): Operation[] {
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Operation);
}
