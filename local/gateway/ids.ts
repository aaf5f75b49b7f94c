import { randomFillSync } from 'node:crypto';

/** Random bytes in one id: 11 give 15 characters of base64url and one `=`. */
const ID_BYTES = 11;
const POOL_IDS = 256;

const pool = Buffer.allocUnsafeSlow(ID_BYTES * POOL_IDS);
let used = pool.length;

/** A new connection or request id, for example `PJqB0fHsqRcCHlw=`. */
export function newId(): string {
  if (used === pool.length) {
    randomFillSync(pool);
    used = 0;
  }
  const start = used;
  used += ID_BYTES;
  return `${pool.toString('base64url', start, used)}=`;
}

const TAIL_CHARS = 5;

/** A new message id; ends as the id of its connection does. */
export function newMessageId(connectionId: string): string {
  return newId().slice(0, -TAIL_CHARS) + connectionId.slice(-TAIL_CHARS);
}

const CONNECTION_ID = /^[A-Za-z0-9_-]{15}=$/;

/** Whether `text` has the form of a connection id. */
export function isConnectionId(text: string): boolean {
  return CONNECTION_ID.test(text);
}
