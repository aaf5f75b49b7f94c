import type { ActionName, Body, Content, Entry, Member, Presence, Receipt, Reply, Role } from '@parley/protocol';
import type { ParleyError } from './errors.ts';

export type { ActionName, Body, Content, Entry, Member, Presence, Receipt, Reply, Role };

/** `connecting`: the first attempt is under way. `offline`: it goes on trying. `closed`: `close()` was called. */
export type ClientState = 'connecting' | 'online' | 'offline' | 'closed';

/** `received` is someone else's message; all other states belong to own ones. */
export type MessageStatus = 'queued' | 'sent' | 'delivered' | 'read' | 'failed' | 'received';

/** A message as it is shown. Never changes: a new state is a new object with the same `key`. */
export interface Message {
  /** Unique and stable from queued to read, so good for rendering: the `clientMessageId` of own messages, the id of others. */
  readonly key: string;
  readonly conversationId: string;
  /** Absent until the server has stored it. */
  readonly id?: string;
  /** Absent until the server has stored it. */
  readonly seq?: number;
  readonly senderId: string;
  readonly mine: boolean;
  readonly text: string;
  readonly content: Content;
  /** Ms since the Unix epoch: the server's clock once stored, this device's before. */
  readonly sentAtMs: number;
  readonly status: MessageStatus;
  /** Why it failed; only with `failed`. */
  readonly error?: ParleyError;
  readonly replyToId?: string;
  readonly mentions?: readonly string[];
  /** When it was last edited; `text` is what it says by now. */
  readonly editedAtMs?: number;
  /** Its words are gone for everybody: `text` is empty. It keeps its place. */
  readonly deleted?: true;
}

/** A conversation as it is shown. Never changes: a new state is a new object. */
export interface ConversationView {
  readonly conversationId: string;
  readonly type: 'direct' | 'group';
  readonly title?: string;
  readonly memberCount: number;
  /** Absent above 32 members: then ask `client.request('member.list', …)`. */
  readonly members?: readonly { readonly userId: string; readonly role: Role }[];
  /** The highest seq that is known to exist. */
  readonly headSeq: number;
  /** What this user may do: an owner adds and removes members, and may delete any message. */
  readonly role: Role;
  /** Own receipts, as last asked for on this device or told by the server. */
  readonly readSeq: number;
  readonly deliveredSeq: number;
  /** Messages of others that are not yet read. */
  readonly unread: number;
  /** The newest one shown, queued ones included. */
  readonly lastMessage?: Message;
  /** Of the other members, as far as known. */
  readonly receipts: ReadonlyMap<string, { readonly deliveredSeq: number; readonly readSeq: number }>;
  /** Who types right now, without oneself. */
  readonly typing: readonly string[];
  readonly hasOlder: boolean;
  readonly loadingOlder: boolean;
  readonly createdAtMs: number;
  /**
   * The server has it no more, or the user is no member any more. It stays while own messages in it are not sent: retry them,
   * or discard them; with the last one it leaves. A gone direct conversation is created anew by what is sent in it.
   */
  readonly gone: boolean;
}

export interface PresenceView {
  readonly state: 'online' | 'offline' | 'unknown';
  readonly lastSeenAtMs?: number;
}

export interface Draft {
  /** 1 byte to 16 KB of UTF-8, without NUL; arrives byte for byte. */
  readonly text: string;
  readonly replyToId?: string;
  readonly mentions?: readonly string[];
}

/** What `client.on` can be told, and what the listener gets. */
export interface ClientEvents {
  /** Anything visible changed. At most once per turn of the event loop. */
  change: undefined;
  state: ClientState;
  /** An entry is shown, or takes effect, for the first time; with `strict` in the order of seq. History pages and what was shown before a reload are not repeated. */
  entry: Entry;
  /** The same moment as `entry`, for messages, as a `Message`. */
  message: Message;
  /** A conversation was added or changed its settings; `removed` with its id when it went away (see `ConversationView.gone`). */
  conversation: { readonly conversationId: string; readonly change: 'added' | 'removed' | 'settings' };
  receipt: { readonly conversationId: string } & Receipt;
  typing: { readonly conversationId: string; readonly userId: string; readonly typing: boolean };
  presence: Presence;
  /** An own message was queued, sent or failed. */
  outbox: Message;
  /** Something went wrong that no caller waits for. The client goes on by itself. */
  error: ParleyError;
}

export type StorageChange = { readonly put: string; readonly value: unknown } | { readonly delete: string };

/**
 * Where a client keeps what must survive a reload: key/value, values as the structured clone algorithm takes them.
 * Several clients (tabs) may share one storage.
 */
export interface Storage {
  /** The value, or `undefined`. */
  get(key: string): Promise<unknown>;
  /** All pairs whose key starts with `prefix`, in the order of their keys. */
  list(prefix: string): Promise<[key: string, value: unknown][]>;
  /** Applies all changes or none, in their order; durable when it resolves. */
  write(changes: readonly StorageChange[]): Promise<void>;
  /** Frees what the storage holds open. No call follows. */
  close(): void;
}

/** The part of `WebSocket` that the SDK uses: the browser's, Node's own and that of `ws` fit. */
export interface WebSocketLike {
  readonly protocol: string;
  readonly readyState: number;
  onopen: ((event: never) => void) | null;
  onclose: ((event: never) => void) | null;
  onerror: ((event: never) => void) | null;
  onmessage: ((event: never) => void) | null;
  send(data: string): void;
  close(code?: number): void;
}
export type WebSocketClass = new (url: string, protocols: string[]) => WebSocketLike;

/** Says when the network comes and goes, as `window` does. */
export interface OnlineSignal {
  addEventListener(type: 'online' | 'offline', listener: () => void): void;
  removeEventListener(type: 'online' | 'offline', listener: () => void): void;
}

/** Time and chance; tests put their own here. */
export interface Clock {
  /** Ms since the Unix epoch. */
  now(): number;
  /** From 0 (included) to 1 (excluded). */
  random(): number;
  setTimeout(run: () => void, afterMs: number): unknown;
  clearTimeout(handle: unknown): void;
}

export interface ClientOptions {
  /** `wss://{api}/{stage}`, without token and query. */
  readonly url: string;
  /**
   * Asked before every socket. `refused` says that the last token did not open or keep one: get a new one, not the cached one.
   * May reject: the client tries again later.
   */
  readonly token: (context: { readonly refused: boolean }) => Promise<string> | string;
  /** Default: IndexedDB named after the url where there is one, else memory. Give each user of a device an own one. */
  readonly storage?: Storage;
  /** Show an entry only when all entries before it are known. Default true; false shows at once, placed by seq. */
  readonly strict?: boolean;
  /** Default: the global `WebSocket`, else the package `ws` (Node 20). */
  readonly webSocket?: WebSocketClass;
  /** Default: the global `online` and `offline` events where they exist. */
  readonly onlineSignal?: OnlineSignal;
  readonly clock?: Clock;
  /** The first wait after a failed attempt is random between 0 and this; it doubles with each failure. Default 250. */
  readonly backoffMinMs?: number;
  /** The longest such wait. Default 30,000. */
  readonly backoffMaxMs?: number;
  /**
   * The first wait after a working connection was lost is random between 0 and this, so that 2,000 clients that are cut at once come back at
   * some 330 a second; it ends as soon as something is to be sent, or the device is `online` again. Default 6,000.
   */
  readonly reconnectSpreadMs?: number;
  /** A request without an answer after this time means that the socket is dead. Default 10,000. */
  readonly requestTimeoutMs?: number;
  /** Receipts are collected for this long. Default 2,000. */
  readonly receiptDebounceMs?: number;
  /** How long a gap may close by itself before it is fetched; jittered by half. Default 300. */
  readonly gapGraceMs?: number;
  /** How long before its end a socket is replaced, at most; jittered down to half. Default 300,000. */
  readonly rotateBeforeMs?: number;
  /** Newest entries of each conversation kept in the storage. Default 500. */
  readonly storedEntriesMax?: number;
  /** Newest entries of each conversation kept in memory; older ones can be loaded again. Default 5,000. */
  readonly memoryEntriesMax?: number;
}
