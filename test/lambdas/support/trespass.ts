import { randomUUID } from 'node:crypto';
import { inspect } from 'node:util';
import { ACTION_NAMES, type ActionName } from '@parley/protocol';
import {
  clientMessageId,
  clientRequestId,
  conversationId,
  entryId,
  pageToken,
  userId,
} from '../../../protocol/src/schema.ts';
import { changed, fieldsOf, type Path } from '../../bad-input/support/schema-walk.ts';
import { BODIES } from '../../protocol/valid-bodies.ts';
import { toPageToken } from '../../../lambdas/actions/shared/page-token.ts';
import { Stage, type Socket } from './stage.ts';

/** What a field names. */
export type IdKind = 'conversation' | 'conversations' | 'entry' | 'user' | 'clientKey' | 'page';

const KINDS = new Map<unknown, IdKind>([
  [conversationId, 'conversation'],
  [entryId, 'entry'],
  [userId, 'user'],
  [clientMessageId, 'clientKey'],
  [clientRequestId, 'clientKey'],
  [pageToken, 'page'],
]);

/** The key of the records of BODIES. */
const RECORD_KEY = 'c_1';

/** Strings that name nothing. */
const TEXTS = new Set(['text', 'title']);

export interface IdField {
  readonly action: ActionName;
  readonly path: Path;
  readonly kind: IdKind;
}

/** Every field of an action that names something. @throws when it has a string of which nobody has said what it is. */
export function idFieldsOf(action: ActionName): IdField[] {
  return fieldsOf(action, BODIES[action].most).flatMap(({ path, schema }): IdField[] => {
    const kind = KINDS.get(schema);
    if (kind) return [{ action, path, kind }];
    if (schema.type === 'record' && KINDS.get((schema as { key?: unknown }).key) === 'conversation')
      return [{ action, path, kind: 'conversations' }];
    if (schema.type === 'string' && !TEXTS.has(path.at(-1) ?? ''))
      throw new Error(`${action}: ${path.join('.')} is a string of which nobody has said what it names`);
    return [];
  });
}

export const ID_FIELDS: readonly IdField[] = ACTION_NAMES.flatMap(idFieldsOf);

export const TRESPASSERS = ['stranger', 'removed', 'namesake'] as const;
export type Trespasser = (typeof TRESPASSERS)[number];

/** A conversation of others, and who may not see it, each with a conversation of their own. */
export class TrespassScene {
  private constructor(
    readonly stage: Stage,
    readonly socket: Socket,
    /** The conversation of others, an entry in it, a user whom this workspace does not know, a key that was used by another. */
    readonly foreign: {
      readonly conversation: string;
      readonly entry: string;
      readonly user: string;
      readonly clientKey: string;
    },
    private readonly own: {
      readonly conversation: string;
      readonly entry: string;
      readonly seq: number;
      readonly epoch: number;
      readonly friend: string;
      readonly spare: string;
    },
  ) {}

  static async open(trespasser: Trespasser): Promise<TrespassScene> {
    const stage = new Stage();
    const there = { workspaceId: 'w2' };
    const [ana, ben, cleo, dora] = [
      await stage.connect('ana'),
      await stage.connect('ben'),
      await stage.connect('cleo'),
      await stage.connect('dora'),
    ];
    // Who exists under the same id in the other workspace is a member there of nothing.
    const namesake = await stage.connect('ana', there);
    for (const name of ['ben', 'zoe2', 'dan']) await stage.connect(name, there);
    for (const name of ['zoe1', 'dan']) await stage.connect(name);
    const conversation = await stage.group(ana, ben, dora);
    const clientKey = randomUUID();
    const { id: entry } = await ana.send(conversation, 'a secret', { clientMessageId: clientKey });
    await ana.ok('member.remove', { conversationId: conversation, clientRequestId: randomUUID(), userId: 'dora' });
    const socket = { stranger: cleo, removed: dora, namesake }[trespasser];
    const friend = trespasser === 'namesake' ? await stage.connect('ben', there) : ben;
    const ownId = await stage.group(socket, friend);
    await socket.send(ownId, 'first');
    const last = await socket.send(ownId, 'second');
    await stage.settled();
    const user = trespasser === 'namesake' ? 'zoe1' : 'zoe2';
    const { epoch } = (await socket.ok('conversation.get', { conversationId: ownId })).conversation;
    const own = { conversation: ownId, epoch, entry: last.id, seq: last.seq, friend: 'ben', spare: 'dan' };
    return new TrespassScene(stage, socket, { conversation, entry, user, clientKey }, own);
  }

  /** A body that is good for the trespasser's own conversation, with all fields. */
  goodBody(action: ActionName): object {
    const { conversation, entry, seq, epoch } = this.own;
    let body: object = BODIES[action].most;
    // From within, since the keys of records change.
    for (const field of idFieldsOf(action).reverse()) {
      if (field.kind === 'conversations')
        body = changed(body, field.path, { [conversation]: this.recordValue(action) });
      else body = changed(body, field.path, this.ownValue(field));
    }
    return { ...body, ...('after' in body && { after: { seq, id: entry } }), ...('epoch' in body && { epoch }) };
  }

  /** The good body with one field naming what is not the trespasser's (`foreign`), or nothing at all (`unknown`). */
  badBody({ action, path, kind }: IdField, which: 'foreign' | 'unknown'): object {
    const name = this.named(kind, which);
    const good = this.goodBody(action);
    if (kind === 'conversations') return changed(good, path, { [name]: this.recordValue(action) });
    const inGood = path.map((key) => (key === RECORD_KEY ? this.own.conversation : key));
    return changed(good, inGood, kind === 'page' ? toPageToken(name) : name);
  }

  /** What of the reply comes from the request itself. */
  named(kind: IdKind, which: 'foreign' | 'unknown'): string {
    const { conversation, entry, user, clientKey } = this.foreign;
    const isForeign = which === 'foreign';
    if (kind === 'entry') return isForeign ? entry : String(BigInt(entry) + 1n);
    if (kind === 'user') return isForeign ? user : 'nob0';
    if (kind === 'clientKey') return isForeign ? clientKey : clientKey.replace(/^./, (c) => (c === '0' ? '1' : '0'));
    // As long, and as far in every order, as the one that exists.
    return isForeign ? conversation : `${conversation.slice(0, -1)}${conversation.endsWith('A') ? 'B' : 'A'}`;
  }

  /** Everything that is stored, but for what counts how often somebody asks. */
  stored(): string {
    const { log, directory } = this.stage;
    return inspect([log, directory], { depth: null, maxArrayLength: null, maxStringLength: null });
  }

  private ownValue({ action, kind }: IdField): unknown {
    const { conversation, entry, friend, spare } = this.own;
    if (kind === 'conversation') return conversation;
    if (kind === 'entry') return entry;
    if (kind === 'user') return action === 'member.add' ? spare : friend;
    if (kind === 'clientKey') return randomUUID();
    return toPageToken('0');
  }

  private recordValue(action: ActionName): unknown {
    const { entry: id, seq, epoch } = this.own;
    return action === 'session.start' ? { seq, id, epoch } : 0;
  }
}
