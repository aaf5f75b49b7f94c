import type { ErrorBody, ErrorCode } from '@parley/protocol';

/** Codes that never come from the server. */
const LOCAL_ERRORS = {
  OFFLINE: {
    temporary: true,
    message: 'There is no connection, or it ended before the answer came.',
    remediation: 'Nothing to do for messages: they wait in the outbox. Repeat other requests when the state is online.',
  },
  CLOSED: {
    temporary: false,
    message: 'The client is closed.',
    remediation: 'Make a new ParleyClient.',
  },
  STORAGE_FAILED: {
    temporary: true,
    message: 'The storage of this device did not take the change.',
    remediation: 'Free some space, or give the client another storage.',
  },
  SDK_FAILED: {
    temporary: false,
    message: 'The SDK met something that it did not expect.',
    remediation: 'Report it with its cause: this is a bug of Parley.',
  },
  TOKEN_FAILED: {
    temporary: true,
    message: 'The token function gave no token.',
    remediation: 'See cause; the client asks again by itself.',
  },
  CONNECT_FAILED: {
    temporary: true,
    message: 'The server could not be reached or refused the connection.',
    remediation: 'Check the url, the network and the token; the client tries again by itself.',
  },
} as const;

export type LocalErrorCode = keyof typeof LOCAL_ERRORS;
export type ParleyErrorCode = ErrorCode | LocalErrorCode;

/** The parts of an error as they travel and are stored. */
export type ErrorFields = Omit<ErrorBody, 'code'> & { readonly code: ParleyErrorCode };

/** Every failure that the SDK reports. `message` says what is wrong, `remediation` what to do first. */
export class ParleyError extends Error {
  override readonly name = 'ParleyError';
  readonly code: ParleyErrorCode;
  readonly remediation: string;
  /** Whether the same request may succeed later without a change. */
  readonly temporary: boolean;
  /** How long to wait before that, in ms; 0 where the server names no time. */
  readonly retryAfterMs: number;
  /** Finds an `INTERNAL` failure in the server's log. */
  readonly requestId: string | undefined;

  constructor(error: ErrorFields, cause?: unknown) {
    super(error.message, cause === undefined ? undefined : { cause });
    this.code = error.code;
    this.remediation = error.remediation;
    this.temporary = error.temporary;
    this.retryAfterMs = error.retryAfterMs;
    this.requestId = error.requestId;
  }

  toFields(): ErrorFields {
    const { code, message, remediation, temporary, retryAfterMs, requestId } = this;
    return { code, message, remediation, temporary, retryAfterMs, requestId };
  }
}

export function localError(code: LocalErrorCode, cause?: unknown): ParleyError {
  return new ParleyError({ code, retryAfterMs: 0, ...LOCAL_ERRORS[code] }, cause);
}

/** Any thrown value as a ParleyError: what is none becomes `fallback`. */
export function toParleyError(error: unknown, fallback: LocalErrorCode): ParleyError {
  return error instanceof ParleyError ? error : localError(fallback, error);
}

/** A refusal that needs no server to be known. */
export function refusal(code: ErrorCode, message: string, remediation: string): ParleyError {
  return new ParleyError({ code, message, remediation, temporary: code === 'RATE_LIMITED', retryAfterMs: 0 });
}
