import { displayName, LIMITS, scanJson, USER_ID, WORKSPACE_ID } from '@parley/protocol';
import { JwtVerifier } from 'aws-jwt-verify';
import { FetchError, JwtBaseError, JwtParseError } from 'aws-jwt-verify/error';
import { SimpleJwksCache } from 'aws-jwt-verify/jwk';
import type { JwtPayload } from 'aws-jwt-verify/jwt-model';
import * as v from 'valibot';
import { logger } from './logger.ts';
import type { Services } from './services.ts';

/** What Parley reads of a token. */
export interface TokenClaims {
  readonly userId: string;
  /** Absent: the token names none, or more than one. */
  readonly workspaceId?: string;
  readonly name?: string;
  readonly expiresAtMs: number;
}

/** Three segments of base64url without padding. */
const COMPACT_JWT = /^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+$/;

/** Verifies tokens of one issuer against its keys, which are fetched when a key is met that is not known yet. */
export class TokenVerifier {
  private readonly verifier;

  constructor({ identity, now }: Services) {
    const fetcher = {
      fetch: async () => new TextEncoder().encode(JSON.stringify(await identity.keySet())).buffer,
    };
    this.verifier = JwtVerifier.create(
      {
        issuer: identity.issuer,
        audience: identity.audience,
        jwksUri: `${identity.issuer}/.well-known/jwks.json`,
        customJwtCheck: ({ payload }) => {
          const { iat } = payload;
          if (iat !== undefined && iat * 1_000 > now() + LIMITS.clockSkewMaxMs) {
            throw new JwtParseError('issued in the future');
          }
        },
      },
      { jwksCache: new SimpleJwksCache({ fetcher }) },
    );
  }

  /** What a valid token says; undefined for any other. @throws {Unavailable} the issuer's keys could not be had. */
  async verify(token: string): Promise<TokenClaims | undefined> {
    if (!COMPACT_JWT.test(token) || hasDuplicateClaims(token)) return undefined;
    let payload: JwtPayload;
    try {
      payload = await this.verifier.verify(token);
    } catch (error) {
      if (!(error instanceof JwtBaseError) || error instanceof FetchError) throw error;
      logger.info('token refused', { reason: error.name });
      return undefined;
    }
    return claimsOf(payload);
  }
}

function claimsOf({ sub, exp, workspaceId, name }: JwtPayload & { workspaceId?: unknown; name?: unknown }) {
  if (sub === undefined || !USER_ID.test(sub) || exp === undefined) return undefined;
  const isName = v.is(displayName, name);
  return {
    userId: sub,
    expiresAtMs: exp * 1_000,
    ...(typeof workspaceId === 'string' && WORKSPACE_ID.test(workspaceId) && { workspaceId }),
    ...(isName && { name }),
  };
}

/** `JSON.parse` would keep the last of two equal claims, another reader perhaps the first. */
function hasDuplicateClaims(token: string): boolean {
  return token
    .split('.')
    .slice(0, 2)
    .some((segment) => scanJson(Buffer.from(segment, 'base64url').toString()).flaw !== undefined);
}
