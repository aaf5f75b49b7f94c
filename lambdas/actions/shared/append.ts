import { createHash, randomInt, randomUUID } from 'node:crypto';
import { LIMITS, makeId, ProtocolError } from '@parley/protocol';
import type { DedupeKey, DedupeRow, Membership, NumberTaken } from '../../ports/directory/port.ts';
import type { LogRow } from '../../ports/message-log/port.ts';
import { Unavailable } from '../../ports/unavailable.ts';
import { bestEffort } from '../../runtime/best-effort.ts';
import { conversationKey, userKey, type Principal } from '../../runtime/keys.ts';
import { checkConversationRate } from '../../runtime/rate.ts';
import type { Services } from '../../runtime/services.ts';
import { announce } from './announce.ts';
import { member } from './membership.ts';

/** What is to be appended. */
export interface Draft {
  readonly conversationId: string;
  /** The client's key: the same key asks for the same entry. */
  readonly clientKey: string;
  /** JSON of what the kind carries. Its hash tells a repeat from another request with the same key. */
  readonly body: string;
  /** Whether this member may append it now. Not asked of a repeat. @throws {ProtocolError} */
  readonly authorize: (membership: Membership) => Promise<void>;
}

/** Where an entry stands, or will stand as soon as somebody inserts it. */
interface Place {
  readonly dedupe: DedupeRow;
  readonly membership: Membership;
  /** Whether an earlier attempt made it. */
  readonly repeat: boolean;
}

/** Ids of senders whose clock is behind lie this much above the last one, at most. */
const STEP_MAX = 1_024;
const RANDOM_MAX = 2 ** 22;
const INSERT_ATTEMPTS_MAX = 3;

/**
 * Appends an entry to a conversation and hands it on: the steps of a send. Safe to call again with the same draft after any failure, by
 * any device, at any time: in the end there is one entry, and every call that returns has returned its numbers. Whoever gets an answer, the
 * entry is in the log by then.
 * @throws {ProtocolError} NOT_FOUND (no member), RATE_LIMITED, CONFLICT (the key was used for another body), UNAUTHENTICATED (the connection was revoked).
 * @throws {Unavailable} unknown whether it was appended; call again with the same draft.
 */
export async function append(draft: Draft, principal: Principal, services: Services): Promise<LogRow> {
  return new Append(draft, principal, services).run();
}

class Append {
  private readonly key: DedupeKey;
  private readonly bodyHash: string;

  constructor(
    private readonly draft: Draft,
    private readonly principal: Principal,
    private readonly services: Services,
  ) {
    const conversation = conversationKey(principal, draft.conversationId);
    this.key = { conversation, userId: principal.userId, clientKey: draft.clientKey };
    this.bodyHash = createHash('sha256').update(draft.body).digest('base64url');
  }

  async run(): Promise<LogRow> {
    const place = await this.findPlace();
    const row = await this.persist(place.dedupe);
    const isExpired = this.services.now() >= row.expiresAtMs;
    if (!isExpired) await announce(row, place, this.principal.connectionId, this.services);
    return row;
  }

  /** Steps 1 to 4: authorize, repeat?, order, reserve. */
  private async findPlace(): Promise<Place> {
    const { directory, presence } = this.services;
    const user = userKey(this.principal, this.principal.userId);
    for (let attempt = 0; attempt < LIMITS.appendAttemptsMax; attempt++) {
      const [view] = await Promise.all([
        directory.readForAppend(this.key, user, this.principal.connectionId),
        // Before a number is taken: if this sender dies then, heartbeats still find that the head moved on.
        bestEffort('expected head', undefined, () => presence.expectHead(this.key.conversation, LIMITS.takingMs)),
      ]);
      if (!view.connected) throw new ProtocolError('UNAUTHENTICATED');
      const membership = member(view.membership);
      if (view.dedupe) return { dedupe: this.sameBody(view.dedupe), membership, repeat: true };
      await this.draft.authorize(membership);
      await checkConversationRate(this.services, this.key.conversation, membership.head.memberCount);
      const taken = await this.takeNumber(membership.head.rosterVersion);
      if (!taken.taken) continue;
      const sentAtMs = this.services.now();
      const expiresAtMs = sentAtMs + LIMITS.entryTtlMs;
      const own = { id: taken.id, seq: taken.seq, bodyHash: this.bodyHash, sentAtMs, expiresAtMs };
      const standing = await directory.reserve(this.key, own);
      if (standing.id === own.id) return { dedupe: own, membership, repeat: false };
      await this.giveUp(own);
      return { dedupe: this.sameBody(standing), membership, repeat: true };
    }
    throw new Unavailable('the roster kept changing');
  }

  private sameBody(dedupe: DedupeRow): DedupeRow {
    if (dedupe.bodyHash === this.bodyHash) return dedupe;
    throw new ProtocolError('CONFLICT', 'This client key was used for another body.');
  }

  /** Step 3. An answer that was lost is found again by the nonce; a number that cannot be found again stays pending, for `repair`. */
  private async takeNumber(rosterVersion: number): Promise<NumberTaken> {
    const { directory, now } = this.services;
    const { conversation, userId } = this.key;
    const id = makeId(now(), randomInt(RANDOM_MAX));
    const nonce = randomUUID();
    try {
      return await directory.takeNumber({ conversation, id, step: randomInt(1, STEP_MAX), nonce, rosterVersion });
    } catch (error) {
      if (!(error instanceof Unavailable)) throw error;
      const head = (await directory.membership(conversation, userId))?.head;
      return head?.lastBy === nonce ? { taken: true, seq: head.seq, id: head.lastId } : { taken: false };
    }
  }

  /** Declares a number void that this send took and does not need: nobody may wait for it. */
  private async giveUp(number: Pick<DedupeRow, 'id' | 'seq'>): Promise<void> {
    const sentAtMs = this.services.now();
    const { id, seq } = number;
    const expiresAtMs = sentAtMs + LIMITS.entryTtlMs;
    await this.insert({ conversation: this.key.conversation, id, seq, kind: 'void', sentAtMs, expiresAtMs });
  }

  /** Step 5: inserts at the place, or finds there what an earlier attempt inserted. A void row there sends it to a new number. */
  private async persist(dedupe: DedupeRow): Promise<LogRow> {
    let place = dedupe;
    for (let attempt = 0; attempt < LIMITS.appendAttemptsMax; attempt++) {
      const row = this.rowAt(place);
      if (this.services.now() >= place.expiresAtMs) return row;
      const insertion = await this.insert(row);
      if (insertion.applied) return row;
      if (insertion.existing.kind !== 'void') return insertion.existing;
      place = await this.moveOn(place);
    }
    throw new Unavailable('every number became void');
  }

  private async moveOn(from: DedupeRow): Promise<DedupeRow> {
    const { directory } = this.services;
    const { head } = member(await directory.membership(this.key.conversation, this.key.userId));
    const taken = await this.takeNumber(head.rosterVersion);
    if (!taken.taken) return from;
    const own = { ...from, id: taken.id, seq: taken.seq };
    const standing = await directory.repoint(this.key, from.id, own);
    if (standing.id !== own.id) await this.giveUp(own);
    return standing;
  }

  private rowAt({ id, seq, sentAtMs, expiresAtMs }: DedupeRow): LogRow {
    const { conversation, userId: senderId, clientKey: clientMessageId } = this.key;
    const { body } = this.draft;
    const { deviceId } = this.principal;
    return { conversation, id, seq, kind: 'message', senderId, deviceId, clientMessageId, body, sentAtMs, expiresAtMs };
  }

  /** After a time-out the same insert again: only the row that stands there tells what happened. */
  private async insert(row: LogRow): ReturnType<Services['log']['insertIfAbsent']> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.services.log.insertIfAbsent(row);
      } catch (error) {
        if (!(error instanceof Unavailable) || attempt >= INSERT_ATTEMPTS_MAX) throw error;
      }
    }
  }
}
