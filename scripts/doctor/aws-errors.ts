import type { Question } from './finding.ts';

/** A refusal of an AWS API. */
export class AwsError extends Error {
  constructor(
    readonly code: string,
    message: string,
  ) {
    super(message);
  }
}

/** The run makes no sense as it was asked for: the message is the one line to print. */
export class Stop extends Error {}

const DENIED = /AccessDenied|Forbidden|NotAuthorized|UnauthorizedOperation/i;
const THROTTLED = /Throttl|TooManyRequests|LimitExceeded|SlowDown/i;
const MISSING = /NotFound/i;
/** Codes of Node's sockets and resolver, and what aborted requests are called. */
const UNREACHED = /^(E[A-Z_]+|UND_ERR_\w+|[A-Z_]*(CERT|SIGNATURE)[A-Z_]*|TimeoutError|AbortError)$/;
const CREDENTIALS =
  /ExpiredToken|RequestExpired|InvalidClientTokenId|UnrecognizedClient|SignatureDoesNotMatch|InvalidSignature|IncompleteSignature|InvalidAccessKeyId/;

const MESSAGE_MAX = 200;

/** The name that a failure goes by: AWS's, Node's, or that of its class. */
export function codeOf(error: unknown): string {
  const { code, cause, name } = Object(error) as Record<string, unknown>;
  if (typeof code === 'string') return code;
  if (cause !== undefined) return codeOf(cause);
  return typeof name === 'string' ? name : 'Error';
}

export function isUnreached(error: unknown): boolean {
  return UNREACHED.test(codeOf(error));
}

export function isAboutCredentials(error: unknown): boolean {
  return CREDENTIALS.test(codeOf(error));
}

/** One line. What follows the first may hold the request as it was signed, session token included. */
export function firstLineOf(error: unknown): string {
  const { message = error } = Object(error) as { message?: unknown };
  return (String(message).split(/[\r\n]/, 1)[0] ?? '').replace(/\p{Cc}/gu, ' ').slice(0, MESSAGE_MAX);
}

/** What a failed question means, and what to do about it. */
export function explain(error: unknown, { rights, ifMissing }: Question): { found: string; advice: string } {
  const code = codeOf(error);
  if (MISSING.test(code)) return { found: 'does not exist', advice: ifMissing };
  if (DENIED.test(code)) {
    return {
      found: `not known: AWS refused the question (${code})`,
      advice: `Allow ${rights} to whoever runs this. docs/doctor.md has the whole policy.`,
    };
  }
  if (THROTTLED.test(code)) return { found: `not known: throttled (${code})`, advice: 'Run it again in a minute.' };
  if (isUnreached(error)) {
    return {
      found: `not known: no answer (${code})`,
      advice: 'Check the network and its proxy or firewall, then run it again.',
    };
  }
  return {
    found: `not known: ${code}: ${firstLineOf(error)}`,
    advice: 'Run it again. If it stays, the message is from AWS: look it up, or report it as a bug of Parley.',
  };
}
