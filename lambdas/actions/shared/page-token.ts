import { ProtocolError } from '@parley/protocol';

/** The wire form of where a page ended. Clients hand it back as it is. */
export function toPageToken(after: string | undefined): string | undefined {
  return after === undefined ? undefined : Buffer.from(after).toString('base64url');
}

/** @throws {ProtocolError} VALIDATION_FAILED when it is no token that `toPageToken` made. */
export function fromPageToken(token: string | undefined): string | undefined {
  if (token === undefined) return undefined;
  const after = Buffer.from(token, 'base64url').toString();
  if (toPageToken(after) !== token)
    throw new ProtocolError('VALIDATION_FAILED', 'page must be a token of an earlier answer.');
  return after;
}
