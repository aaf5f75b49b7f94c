import { setTimeout as sleep } from 'node:timers/promises';
import { LIMITS, utf8Bytes, type ServerEvent } from '@parley/protocol';
import type { PostResult } from '../ports/gateway/port.ts';
import { bestEffort } from '../runtime/best-effort.ts';
import type { UserKey } from '../runtime/keys.ts';
import { logger } from '../runtime/logger.ts';
import { forEachParallel } from '../runtime/parallel.ts';
import type { Services } from '../runtime/services.ts';

/** Where events go: one connection of a user. */
export interface Target {
  readonly user: UserKey;
  readonly connectionId: string;
  /** Absent where the connection is known to have been open. */
  readonly connectedAtMs?: number;
}

/** The events of one batch, by connection, each in the order in which it was added. */
export class Outgoing {
  private readonly byConnection = new Map<string, { target: Target; events: string[] }>();

  /** `event` is the JSON of a `ServerEvent`, made once for all who get it. */
  add(target: Target, event: string): void {
    const waiting = this.byConnection.get(target.connectionId);
    if (waiting) waiting.events.push(event);
    else this.byConnection.set(target.connectionId, { target, events: [event] });
  }

  /**
   * Posts everything: side by side to different connections, one after the other to each. Answers the connections that did not get
   * all of theirs and may still be there.
   */
  async post(services: Services): Promise<Set<string>> {
    const failed = new Set<string>();
    await forEachParallel(this.byConnection.values(), LIMITS.postsInFlightMax, async ({ target, events }) => {
      const deadlineMs = performance.now() + LIMITS.postConnectionMaxMs;
      for (const [i, frame] of toFrames(events).entries()) {
        const isLate = i > 0 && performance.now() >= deadlineMs;
        const outcome = isLate ? 'failed' : await postFrame(target, frame, deadlineMs, services);
        if (outcome === 'failed') failed.add(target.connectionId);
        if (outcome !== 'sent') return;
      }
    });
    return failed;
  }

  /** Closes connections to which posts failed for good: whoever is there comes back, and resumes. One that cannot be closed keeps its row. */
  async drop(connectionIds: ReadonlySet<string>, services: Services): Promise<void> {
    await forEachParallel(connectionIds, LIMITS.postsInFlightMax, async (connectionId) => {
      const user = this.byConnection.get(connectionId)?.target.user;
      if (user !== undefined) await dropConnection({ user, connectionId }, services);
    });
  }
}

export function toJson(event: ServerEvent): string {
  return JSON.stringify(event);
}

/** As many events in a frame as fit in 32 KB, which is what a frame is billed by; a larger event has a frame of its own. */
export function toFrames(events: readonly string[]): string[] {
  const frames: string[] = [];
  let inFrame: string[] = [];
  let bytes = FRAME_AROUND_BYTES;
  for (const event of events) {
    const size = utf8Bytes(event) + 1;
    if (inFrame.length > 0 && bytes + size > LIMITS.frameMaxBytes) {
      frames.push(`{"events":[${inFrame.join(',')}]}`);
      inFrame = [];
      bytes = FRAME_AROUND_BYTES;
    }
    inFrame.push(event);
    bytes += size;
  }
  if (inFrame.length > 0) frames.push(`{"events":[${inFrame.join(',')}]}`);
  return frames;
}

const FRAME_AROUND_BYTES = '{"events":[]}'.length;
const RETRY_AFTER_MS = 50;

/** A connection that is gone, or too slow to take what others send, is removed and never waited for: its client resumes. */
async function postFrame(
  target: Target,
  frame: string,
  deadlineMs: number,
  services: Services,
): Promise<'sent' | 'gone' | 'failed'> {
  const { connectionId } = target;
  let result = await tryPost(connectionId, frame, services);
  for (
    let attempt = 1;
    attempt < LIMITS.postAttemptsMax && isUndone(result) && performance.now() < deadlineMs;
    attempt++
  ) {
    await sleep(RETRY_AFTER_MS * attempt);
    result = await tryPost(connectionId, frame, services);
  }
  if (result === 'sent') return 'sent';
  if (result === 'failed') {
    logger.warn('a post failed', { connectionId });
    return 'failed';
  }
  if (result === 'throttled') await dropConnection(target, services);
  else if (!mayBeOpening(target, services)) await removeRow(target, services);
  return 'gone';
}

/** Its row goes only when the socket has gone: a client that stays connected without one would never get an event. */
async function dropConnection(target: Target, services: Services): Promise<void> {
  const { connectionId } = target;
  logger.warn('dropped a slow connection', { connectionId });
  const closed = await bestEffort('closing a slow connection', false, async () => {
    await services.gateway.close(connectionId);
    return true;
  });
  if (closed) await removeRow(target, services);
}

async function removeRow({ user, connectionId }: Target, { directory }: Services): Promise<void> {
  await bestEffort('removing a connection', undefined, () => directory.removeConnection(user, connectionId));
}

function isUndone(result: PostResult | 'failed'): boolean {
  return result === 'throttled' || result === 'failed';
}

/**
 * A connection is registered before its handshake ends, and until then it seems to be gone. Its row must stay, or it would open and
 * never get an event. It needs none of those before: its `session.start` is still to come.
 */
function mayBeOpening({ connectedAtMs }: Target, { now }: Services): boolean {
  return connectedAtMs !== undefined && now() - connectedAtMs < LIMITS.handshakeMaxMs;
}

async function tryPost(connectionId: string, frame: string, { gateway }: Services): Promise<PostResult | 'failed'> {
  return bestEffort<PostResult | 'failed'>('post', 'failed', () => gateway.post(connectionId, frame));
}
