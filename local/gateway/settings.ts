/**
 * Every number and text of the gateway in one table. Tags say how sure we are that AWS does the same:
 * [D] AWS documentation, [R] recorded against AWS by others, [I] inferred and not verified, [own] a choice of this gateway.
 */
export interface GatewaySettings {
  /** A connection without traffic either way is closed with 1001 after this long. Default 10 min [D]. */
  readonly idleTimeoutMs: number;
  /** A connection is closed with 1001 after this long, whatever it does. Default 2 h [D]. */
  readonly durationMaxMs: number;
  /** Whether a client's ping counts as traffic. Default false [I]. */
  readonly pingResetsIdle: boolean;
  /** How often idle and old connections are looked for. Default 1 s [own]. */
  readonly sweepIntervalMs: number;
  /** How long a closed socket may take for its half of the closing handshake before it is cut. Default 5 s [own]. */
  readonly closeTimeoutMs: number;
  /** One frame, inwards (1009 above it) and outwards (split). Default 32 KB [D]. */
  readonly frameMaxBytes: number;
  /** One message, inwards (1009 above it) and for a POST (413 above it). Default 128 KB [D]. */
  readonly messageMaxBytes: number;
  /** Path and query of the upgrade; 414 above it. Default 4,096 [D the limit, I the status]. */
  readonly urlMaxChars: number;
  /** Names and values of all headers of the upgrade together; 431 above it. Default 10,240 [I]. */
  readonly headersMaxBytes: number;
  /** JSON of an authorizer's answer; 500 above it. Default 8 KB [D the limit, I the status]. */
  readonly authorizerResultMaxBytes: number;
  /** A function that takes longer has timed out: 504, or an error frame. Default 29 s [D]. */
  readonly integrationTimeoutMs: number;
  /** New connections; 429 above it. Default 500 a second [D], burst 500 [I]. Infinity: no limit. */
  readonly connectsPerSecond: number;
  readonly connectsBurst: number;
  /** Messages of all clients; an error frame above it. Default 10,000 a second, burst 5,000 [D]. Infinity: no limit. */
  readonly messagesPerSecond: number;
  readonly messagesBurst: number;
  /** Calls of `@connections`; 429 above it. Default 10,000 a second, burst 5,000 [I: the account's]. Infinity: no limit. */
  readonly managementPerSecond: number;
  readonly managementBurst: number;
  /** Bytes that a client has not yet taken; a POST beyond it gets 429. Default 1 MB [I]. */
  readonly bufferedMaxBytes: number;
  /** Body of a `@connections` call that is read to the end for the sake of a clean 413; beyond it the socket is cut. Default 10 MB [I]. */
  readonly drainMaxBytes: number;
  /** How far the date of a signature may be off the clock. Default 5 min [D]. */
  readonly signatureSkewMaxMs: number;
  /** Each invocation is delayed by a random time up to this, to bring out races. Default 0: off [own]. */
  readonly shuffleMaxMs: number;
  /** Takes malformed answers of functions for good ones. Default false [own]. */
  readonly lenient: boolean;
}

export const DEFAULT_SETTINGS: GatewaySettings = {
  idleTimeoutMs: 600_000,
  durationMaxMs: 7_200_000,
  pingResetsIdle: false,
  sweepIntervalMs: 1_000,
  closeTimeoutMs: 5_000,
  frameMaxBytes: 32_768,
  messageMaxBytes: 131_072,
  urlMaxChars: 4_096,
  headersMaxBytes: 10_240,
  authorizerResultMaxBytes: 8_192,
  integrationTimeoutMs: 29_000,
  connectsPerSecond: 500,
  connectsBurst: 500,
  messagesPerSecond: 10_000,
  messagesBurst: 5_000,
  managementPerSecond: 10_000,
  managementBurst: 5_000,
  bufferedMaxBytes: 1_048_576,
  drainMaxBytes: 10_485_760,
  signatureSkewMaxMs: 300_000,
  shuffleMaxMs: 0,
  lenient: false,
};

/** No throttle at all, for benchmarks and load tests. */
export const UNTHROTTLED = {
  connectsPerSecond: Infinity,
  messagesPerSecond: Infinity,
  managementPerSecond: Infinity,
} as const satisfies Partial<GatewaySettings>;

/** How a connection ended: what the close frame says, and what `$disconnect` is told. */
export interface Closing {
  readonly code: number;
  readonly reason: string;
}

export const CLOSINGS = {
  /** [R] */
  idle: { code: 1001, reason: 'Going away' },
  /** [D] the code, [I] the text */
  duration: { code: 1001, reason: 'Going away' },
  /** [I] */
  shutdown: { code: 1001, reason: 'Going away' },
  /** [R] */
  deleted: { code: 1000, reason: 'Connection Closed Normally' },
  /** [D] the code, [I] the text */
  binary: { code: 1003, reason: '' },
  /** [D] the code, [I] the text */
  tooBig: { code: 1009, reason: '' },
  /** [I] */
  invalidUtf8: { code: 1007, reason: '' },
  /** [I] */
  protocolError: { code: 1002, reason: '' },
  /** [D] the code, [I] that it means too many parts, and the text */
  tooManyParts: { code: 1008, reason: '' },
} as const satisfies Record<string, Closing>;

/** The client's close frame had no code [D][R]. */
export const NO_STATUS: Closing = { code: 1005, reason: 'Client-side close frame status not set' };

/** An HTTP answer that is not a success. */
export interface Refusal {
  readonly status: number;
  /** The value of `x-amzn-ErrorType`. */
  readonly type: string;
  readonly message: string;
}

/** Refused upgrades: the statuses per line; types, texts and the form of the body are all [I]. */
export const UPGRADE_REFUSALS = {
  /** [I] */
  notWebSocket: { status: 400, type: 'BadRequestException', message: 'Bad Request' },
  /** [I] */
  urlTooLong: { status: 414, type: 'RequestTooLargeException', message: 'Request-URI Too Long' },
  /** [I] */
  headersTooLong: { status: 431, type: 'RequestTooLargeException', message: 'Request Header Fields Too Large' },
  /** [R, weak] */
  unknownStage: { status: 403, type: 'ForbiddenException', message: 'Forbidden' },
  /** [R] */
  throttled: { status: 429, type: 'LimitExceededException', message: 'Too Many Requests' },
  /** [D] */
  unauthorized: { status: 401, type: 'UnauthorizedException', message: 'Unauthorized' },
  /** [D] */
  denied: { status: 403, type: 'ForbiddenException', message: 'Forbidden' },
  /** [I] */
  authorizerFailed: { status: 500, type: 'AuthorizerConfigurationException', message: 'Internal server error' },
  /** [R] */
  functionFailed: { status: 502, type: 'InternalServerErrorException', message: 'Internal server error' },
  /** [R] */
  integrationMissing: { status: 500, type: 'InternalServerErrorException', message: 'Internal server error' },
  /** [I] */
  timedOut: { status: 504, type: 'IntegrationTimeoutException', message: 'Endpoint request timed out' },
  /** [own] */
  shutDown: { status: 503, type: 'ServiceUnavailableException', message: 'Service Unavailable' },
} as const satisfies Record<string, Refusal>;

/** Texts of error frames. */
export const FRAME_MESSAGES = {
  /** [R] */
  failed: 'Internal server error',
  /** [R] */
  noRoute: 'Forbidden',
  /** [I] */
  timedOut: 'Endpoint request timed out',
  /** [I] */
  throttled: 'Too Many Requests',
} as const;

/** Answers of `@connections`. Statuses and types [D] or [R] unless tagged. */
export const MANAGEMENT_REFUSALS = {
  /** [R] */
  wrongStage: { status: 403, type: 'ForbiddenException', message: 'Forbidden' },
  /** [I] */
  unsigned: { status: 403, type: 'MissingAuthenticationTokenException', message: 'Missing Authentication Token' },
  /** [I] the type and text */
  incompleteSignature: {
    status: 403,
    type: 'IncompleteSignatureException',
    message: 'The Authorization header is not complete.',
  },
  /** [I] the type and text */
  unknownKey: {
    status: 403,
    type: 'UnrecognizedClientException',
    message: 'The security token included in the request is invalid.',
  },
  /** [I] the type and text */
  wrongScope: {
    status: 403,
    type: 'InvalidSignatureException',
    message: 'The credential is not scoped to this date, region and service.',
  },
  /** [I] the type and text */
  expired: {
    status: 403,
    type: 'InvalidSignatureException',
    message: 'The date of the signature is too far off the clock.',
  },
  /** [I] the type and text */
  badSignature: {
    status: 403,
    type: 'InvalidSignatureException',
    message: 'The request signature we calculated does not match the signature you provided.',
  },
  /** [D] the type, [I] the text */
  notAllowed: {
    status: 403,
    type: 'ForbiddenException',
    message: 'The caller is not allowed to perform execute-api:ManageConnections on this resource.',
  },
  /** [D] the type, [I] the text */
  tooLarge: { status: 413, type: 'PayloadTooLargeException', message: 'Message too long' },
  /** [D] the type, [I] the text, and that a slow client causes it */
  limitExceeded: { status: 429, type: 'LimitExceededException', message: 'Too Many Requests' },
} as const satisfies Record<string, Refusal>;

/** A plain GET where an upgrade belongs [R the status, I the body]. */
export const UPGRADE_REQUIRED: Refusal = { status: 426, type: 'BadRequestException', message: 'Upgrade Required' };
