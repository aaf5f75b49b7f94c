import { createHash } from 'node:crypto';
import { LIMITS, ProtocolError, type EntryId } from '@parley/protocol';
import type { AppendView, DedupeKey, DedupeRow, Intent, Membership, RosterChange } from '../../ports/directory/port.ts';
import type { LogRow } from '../../ports/message-log/port.ts';
import { Unavailable } from '../../ports/unavailable.ts';
import { bestEffort } from '../../runtime/best-effort.ts';
import { conversationKey, userKey, type Principal } from '../../runtime/keys.ts';
import { checkConversationRate } from '../../runtime/rate.ts';
import type { Services } from '../../runtime/services.ts';
import { announce } from './announce.ts';
import { member } from './membership.ts';
import { giveUp, numberRequest, persist, takeNumber } from './persist.ts';

/** What is to be appended. */
export interface Draft {
  readonly conversationId: string;
  /** The client's key: the same key asks for the same entry. */
  readonly clientKey: string;
  readonly kind: 'message' | 'edit' | 'delete' | 'member';
  /** The message that it is about. */
  readonly targetId?: EntryId;
  /** JSON of what the kind carries. Its hash tells a repeat from another request with the same key. */
  readonly body: string;
  /** Takes effect together with the number. */
  readonly change?: RosterChange;
  /** Whether this member may append it now. Not asked of a repeat. @throws {ProtocolError} */
  readonly authorize: (membership: Membership) => Promise<void>;
}

/** Where an entry stands, or will stand as soon as somebody inserts it. */
interface Found {
  readonly dedupe: DedupeRow;
  /** Who is to be told directly; without it the stream tells. */
  readonly membership?: Membership;
  /** Whether an earlier attempt made it. */
  readonly repeat: boolean;
}

/**
 * Appends an entry to a conversation and hands it on: the steps of a send. Safe to call again with the same draft after any failure, by
 * any device, at any time: in the end there is one entry, and every call that returns has returned its numbers. Whoever gets an answer, the
 * entry is in the log by then.
 * @throws {ProtocolError} NOT_FOUND (no member, or no such target), RATE_LIMITED, CONFLICT (the key was used for another body), UNAUTHENTICATED (the connection was revoked).
 * @throws {Unavailable} unknown whether it was appended; call again with the same draft.
 */
export async function append(draft: Draft, principal: Principal, services: Services): Promise<LogRow> {
  return new Append(draft, principal, services).run();
}

class Append {
  private readonly key: DedupeKey;
  private readonly intent: Intent;
  private readonly bodyHash: string;

  constructor(
    private readonly draft: Draft,
    private readonly principal: Principal,
    private readonly services: Services,
  ) {
    const { conversationId, clientKey, kind, targetId, body } = draft;
    const { userId, deviceId } = principal;
    this.key = { conversation: conversationKey(principal, conversationId), userId, clientKey };
    const target = targetId !== undefined && { targetId };
    this.intent = { kind, senderId: userId, deviceId, clientMessageId: clientKey, ...target, body };
    this.bodyHash = createHash('sha256')
      .update(JSON.stringify([kind, targetId ?? null, body]))
      .digest('base64url');
  }

  async run(): Promise<LogRow> {
    const found = await this.findPlace();
    const row = await persist(this.key, found.dedupe, this.intent, this.services);
    const isExpired = this.services.now() >= row.expiresAtMs;
    if (!isExpired) await announce(row, found, this.principal.connectionId, this.services);
    return row;
  }

  /** Steps 1 to 4: authorize, repeat?, order, reserve. */
  private async findPlace(): Promise<Found> {
    for (let attempt = 0; attempt < LIMITS.appendAttemptsMax; attempt++) {
      const view = await this.read();
      if (!view.connected) throw new ProtocolError('UNAUTHENTICATED');
      if (view.dedupe && this.leaves) return { dedupe: this.sameBody(view.dedupe), repeat: true };
      const membership = member(view.membership);
      const told = this.draft.change ? {} : { membership };
      if (view.dedupe) {
        await this.expectHead();
        return { dedupe: this.sameBody(view.dedupe), ...told, repeat: true };
      }
      const { rosterVersion, memberCount } = membership.head;
      await Promise.all([this.allow(membership, memberCount), this.expectHead()]);
      const standing = await this.take(rosterVersion);
      if (standing) return { ...standing, ...told };
    }
    throw new Unavailable('the roster kept changing');
  }

  private read(): Promise<AppendView> {
    const user = userKey(this.principal, this.principal.userId);
    return this.services.directory.readForAppend(this.key, user, this.principal.connectionId);
  }

  private async allow(membership: Membership, memberCount: number): Promise<void> {
    await this.draft.authorize(membership);
    await checkConversationRate(this.services, this.key.conversation, memberCount);
  }

  /** Before a number is taken, in the name of a member: if this sender dies then, heartbeats still find that the head moved on. */
  private expectHead(): Promise<void> {
    const { presence } = this.services;
    return bestEffort('expected head', undefined, () => presence.expectHead(this.key.conversation, LIMITS.takingMs));
  }

  /** Whether it takes its sender out of the conversation: then a repeat finds no membership any more. */
  private get leaves(): boolean {
    const { change } = this.draft;
    return change?.type === 'remove' && change.userId === this.key.userId;
  }

  private sameBody(dedupe: DedupeRow): DedupeRow {
    if (dedupe.bodyHash === this.bodyHash) return dedupe;
    throw new ProtocolError('CONFLICT', 'This client key was used for another body.');
  }

  /** Steps 3 and 4. Undefined when the roster has changed: then all must be asked again. */
  private async take(rosterVersion: number): Promise<Pick<Found, 'dedupe' | 'repeat'> | undefined> {
    const { conversation } = this.key;
    const sentAtMs = this.services.now();
    const { kind } = this.intent;
    // What people wrote stands in the log alone.
    const intent = kind !== 'message' && kind !== 'edit' && { intent: this.intent };
    const row = { bodyHash: this.bodyHash, sentAtMs, expiresAtMs: sentAtMs + LIMITS.entryTtlMs, ...intent };
    if (this.draft.change) return this.takeWith(this.draft.change, rosterVersion, row);
    const taken = await takeNumber(conversation, rosterVersion, this.services);
    if (!taken.taken) return undefined;
    const own = { ...row, id: taken.id, seq: taken.seq };
    const standing = await this.services.directory.reserve(this.key, own);
    if (standing.id === own.id) return { dedupe: own, repeat: false };
    await giveUp(conversation, own, this.services);
    return { dedupe: this.sameBody(standing), repeat: true };
  }

  /** Number, reservation and roster in one: an answer that was lost is found again by the reservation. */
  private async takeWith(
    change: RosterChange,
    rosterVersion: number,
    row: Omit<DedupeRow, 'id' | 'seq'>,
  ): Promise<Pick<Found, 'dedupe' | 'repeat'> | undefined> {
    const { directory, now } = this.services;
    const { key } = this;
    const request = { ...numberRequest(key.conversation, rosterVersion, now()), change, key, row };
    const dedupe = await bestEffort('change of the roster', undefined, () => directory.changeRoster(request));
    return dedupe && { dedupe, repeat: false };
  }
}
