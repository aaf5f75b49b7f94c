import * as v from 'valibot';
import { ACTIONS, isActionName, type ActionName, type Body, type Reply } from './actions.ts';
import { ProtocolError, type ErrorBody } from './errors.ts';
import type { ServerEvent } from './events.ts';
import { scanJson } from './json-scan.ts';
import { LIMITS } from './limits.ts';

/** The sub-protocol that both sides name at the handshake. */
export const SUBPROTOCOL = 'parley.v1';
/** The token travels as a second sub-protocol with this prefix, never in the URL. */
export const BEARER_PREFIX = 'bearer.';

export interface Request<A extends ActionName = ActionName> {
  readonly action: A;
  /** The client's; echoed by the reply. */
  readonly id: string;
  readonly body: Body<A>;
}

export type ReplyFrame<A extends ActionName = ActionName> =
  | { readonly id: string | null; readonly ok: true; readonly body: Reply<A> }
  | { readonly id: string | null; readonly ok: false; readonly error: ErrorBody };

export interface EventsFrame {
  readonly events: readonly ServerEvent[];
}

/** A request whose action is known and whose body is not yet checked. */
export interface ParsedFrame {
  readonly action: ActionName;
  readonly id: string | null;
  readonly body: unknown;
  readonly prototypeKey: boolean;
}

/** A refused frame; `id` is the client's where it could be read, so that the refusal can be matched. */
export class FrameError extends ProtocolError {
  constructor(
    code: 'INVALID_JSON' | 'INVALID_FRAME' | 'UNKNOWN_ACTION' | 'PAYLOAD_TOO_LARGE',
    message: string,
    readonly id: string | null = null,
  ) {
    super(code, message);
  }
}

/**
 * The first checks of a request, in the protocol's order: size, JSON, frame shape, action known.
 * @throws {FrameError} naming the field, never its value.
 */
export function parseFrame(text: string): ParsedFrame {
  if (utf8Bytes(text) > LIMITS.messageMaxBytes) {
    throw new FrameError('PAYLOAD_TOO_LARGE', `The message is larger than ${String(LIMITS.messageMaxBytes)} bytes.`);
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new FrameError('INVALID_JSON', 'The message is not JSON.');
  }
  if (!isObject(value)) throw new FrameError('INVALID_FRAME', 'The message must be a JSON object.');
  const { id: rawId, action, body } = value;
  const id =
    typeof rawId === 'string' && rawId.length <= LIMITS.requestIdMaxChars && rawId.isWellFormed() ? rawId : null;
  const scan = scanJson(text);
  if (scan.flaw) throw new FrameError('INVALID_FRAME', `The message is not a request: ${scan.flaw}.`, id);
  if (rawId !== undefined && (id === null || id === '')) {
    throw new FrameError(
      'INVALID_FRAME',
      `id must be a string of 1 to ${String(LIMITS.requestIdMaxChars)} characters.`,
    );
  }
  if (typeof action !== 'string') throw new FrameError('INVALID_FRAME', 'action must be a string.', id);
  if (body !== undefined && !isObject(body)) throw new FrameError('INVALID_FRAME', 'body must be an object.', id);
  if (!isActionName(action)) throw new FrameError('UNKNOWN_ACTION', 'No such action.', id);
  return { action, id, body: body ?? {}, prototypeKey: scan.prototypeKey };
}

/**
 * The body of a request, with unknown fields left out.
 * @throws {ProtocolError} VALIDATION_FAILED or PAYLOAD_TOO_LARGE, naming the field, never its value.
 */
export function validateBody<A extends ActionName>(action: A, body: unknown): Body<A> {
  const result = v.safeParse(ACTIONS[action].body, body, { abortEarly: true });
  if (result.success) return result.output;
  const issue = result.issues[0];
  const field = fieldOf(issue);
  if (issue.type === 'max_bytes')
    throw new ProtocolError('PAYLOAD_TOO_LARGE', `${field} is larger than ${String(issue.requirement)} bytes.`);
  throw new ProtocolError('VALIDATION_FAILED', `${field} ${describe(issue)}.`);
}

/** Fields whose keys are chosen by the caller. */
const RECORD_FIELDS: ReadonlySet<unknown> = new Set(['cursors', 'heads']);

/** The path of the field; a key that the caller chose stands as `*`, since it is input too. */
function fieldOf(issue: v.BaseIssue<unknown>): string {
  const path = issue.path ?? [];
  return path.map((item, i) => (RECORD_FIELDS.has(path[i - 1]?.key) ? '*' : String(item.key))).join('.') || 'body';
}

function describe(issue: v.BaseIssue<unknown>): string {
  switch (issue.type) {
    case 'min_length':
      return `must not be shorter than ${String(issue.requirement)}`;
    case 'max_length':
      return `must not be longer than ${String(issue.requirement)}`;
    case 'check':
    case 'regex':
    case 'safe_integer':
    case 'min_value':
    case 'max_value':
    case 'max_entries':
      return issue.message;
    default:
      return issue.received === 'undefined' ? 'is missing' : `must be ${issue.expected ?? 'of another form'}`;
  }
}

const encoder = new TextEncoder();

/** The length of `text` in UTF-8. */
export function utf8Bytes(text: string): number {
  return encoder.encode(text).length;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
