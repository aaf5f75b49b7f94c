/** What one error code means to a client. */
export interface ErrorRow {
  /** Whether the same request may succeed later without a change. */
  readonly temporary: boolean;
  /** Whether the server closes the socket after it. */
  readonly closes: boolean;
  /** What the code says, for the reference. */
  readonly meaning: string;
  /** What a caller does first. Sent with every error. */
  readonly remediation: string;
}

/** Every error code of `parley.v1`. */
export const ERRORS = {
  INVALID_JSON: {
    temporary: false,
    closes: false,
    meaning: 'The message is not JSON.',
    remediation: 'Send one JSON object per text message.',
  },
  INVALID_FRAME: {
    temporary: false,
    closes: false,
    meaning: 'JSON, but not a request: no object, no action, a key twice, or nested too deep.',
    remediation: 'Send {"action","id","body"} as docs/protocol.md shows.',
  },
  VALIDATION_FAILED: {
    temporary: false,
    closes: false,
    meaning: 'A field is missing or out of its range; the message names it.',
    remediation: 'Correct the named field.',
  },
  UNKNOWN_ACTION: {
    temporary: false,
    closes: false,
    meaning: 'No such action.',
    remediation: 'Use an action of docs/protocol.md, spelled exactly.',
  },
  UNSUPPORTED_VERSION: {
    temporary: false,
    closes: false,
    meaning: 'The protocol version is not spoken here.',
    remediation: 'Offer the sub-protocol parley.v1 when connecting.',
  },
  PAYLOAD_TOO_LARGE: {
    temporary: false,
    closes: false,
    meaning: 'A message or a text is larger than allowed.',
    remediation: 'Send less; the limits stand in the answer to session.start.',
  },
  UNAUTHENTICATED: {
    temporary: false,
    closes: true,
    meaning: 'This connection is not (or no longer) known.',
    remediation: 'Get a new token and connect again.',
  },
  TOKEN_EXPIRED: {
    temporary: false,
    closes: false,
    meaning: 'The token of this connection has expired.',
    remediation: 'Get a new token and connect again.',
  },
  FORBIDDEN: {
    temporary: false,
    closes: false,
    meaning: 'You are a member, but may not do this.',
    remediation: 'Ask an owner of the conversation.',
  },
  NOT_FOUND: {
    temporary: false,
    closes: false,
    meaning: 'It does not exist, or you may not know that it does: the same bytes for both.',
    remediation: 'Check the id, and that you are a member.',
  },
  CONFLICT: {
    temporary: false,
    closes: false,
    meaning: 'The same client key came with another body, or a concurrent change won.',
    remediation: 'Use a new client key for a new request; read again before changing.',
  },
  RATE_LIMITED: {
    temporary: true,
    closes: false,
    meaning: 'Too many requests.',
    remediation: 'Wait retryAfterMs, then send the same request.',
  },
  UNAVAILABLE: {
    temporary: true,
    closes: false,
    meaning: 'A store did not answer; whether the request took effect is unknown.',
    remediation: 'Wait retryAfterMs, then send the same request with the same client key.',
  },
  INVALID_CURSOR: {
    temporary: false,
    closes: false,
    meaning: 'Seq and id of the cursor do not belong together.',
    remediation: 'Start over from the head.',
  },
  CURSOR_EXPIRED: {
    temporary: false,
    closes: false,
    meaning: 'The entry of the cursor is no longer kept.',
    remediation: 'Start over from the head.',
  },
  MEDIA_NOT_READY: {
    temporary: true,
    closes: false,
    meaning: 'The media is still being checked.',
    remediation: 'Wait for its event, then send again.',
  },
  MEDIA_REJECTED: {
    temporary: false,
    closes: false,
    meaning: 'The media was refused.',
    remediation: 'Upload another file.',
  },
  DEVICES_CHANGED: {
    temporary: false,
    closes: false,
    meaning: 'The devices of a member changed; nothing was stored.',
    remediation: 'Encrypt for the devices that the error names, then send again.',
  },
  INTERNAL: {
    temporary: true,
    closes: false,
    meaning: 'A failure of the server; details are in its log under requestId.',
    remediation: 'Send the same request again with the same client key.',
  },
} as const satisfies Record<string, ErrorRow>;

export type ErrorCode = keyof typeof ERRORS;

/** The error of a reply. */
export interface ErrorBody {
  readonly code: ErrorCode;
  /** What is wrong; names a field, never repeats its value. */
  readonly message: string;
  readonly remediation: string;
  readonly temporary: boolean;
  /** How long to wait before the same request may succeed; 0 where waiting does not help. */
  readonly retryAfterMs: number;
  /** Only with `INTERNAL`: finds the failure in the server's log. */
  readonly requestId?: string;
}

/** A failure that a client is told as it stands. The only kind of error that an action throws on purpose. */
export class ProtocolError extends Error {
  override readonly name = 'ProtocolError';
  constructor(
    readonly code: ErrorCode,
    message: string = ERRORS[code].meaning,
    readonly retryAfterMs: number = ERRORS[code].temporary ? 1_000 : 0,
  ) {
    super(message);
  }

  get temporary(): boolean {
    return ERRORS[this.code].temporary;
  }

  get remediation(): string {
    return ERRORS[this.code].remediation;
  }

  /** The wire form. */
  toBody(): ErrorBody {
    const { code, message, remediation, temporary, retryAfterMs } = this;
    return { code, message, remediation, temporary, retryAfterMs };
  }
}
