import { ERRORS, LIMITS, type ErrorCode } from '@parley/protocol';
import type { Row } from '../rows.ts';
import { logLines } from './log-lines.ts';
import type { Wire } from './wire.ts';
import type { Scene, World } from './world.ts';

/** What a case of a row works with. */
export interface Given {
  readonly world: World;
  readonly row: Row;
}

export type Case = (given: Given) => Promise<void>;
/** By row id, then by what the case is about. */
export type Table = Readonly<Record<string, Readonly<Record<string, Case>>>>;

export interface BadFrame {
  readonly text: string | Buffer;
  /** What must stand neither in the reply nor in the log. */
  readonly secrets?: readonly string[];
  /** Names the frame when the test fails. */
  readonly label?: string;
}

/** Rows whose cases differ leave the codes to them. */
const DOCUMENTED = 'the documented code for each case';
/** A refusal says what is wrong in a few words. */
const REPLY_MAX_CHARS = 600;
const LOG_LINE_MAX_CHARS = 2_000;
/** Shorter ones stand in texts and ids by chance. */
const SECRET_MIN_CHARS = { reply: 3, log: 8 };

/**
 * Sends a bad frame and checks all that is promised of one: the code, which must be of the row; the id; that nothing of the frame comes
 * back or into the log; the state of the connection as the row says; and that the next good frame is answered.
 */
export async function expectRefused(given: Given, wire: Wire, code: ErrorCode, bad: BadFrame | string): Promise<void> {
  const {
    text,
    secrets = [],
    label = text.toString().slice(0, 120),
  }: BadFrame = typeof bad === 'string' ? { text: bad } : bad;
  if (given.row.expected_code !== DOCUMENTED) expect(given.row.expected_code).toContain(code);
  const { raw, frame } = await wire.ask(text);
  const { temporary, remediation } = ERRORS[code];
  const retryAfterMs: unknown = temporary ? expect.any(Number) : 0;
  const error = { code, message: expect.any(String) as string, remediation, temporary, retryAfterMs };
  expect({ label, ...frame }).toEqual({ label, id: idOf(text.toString()), ok: false, error });
  expect(raw.length).toBeLessThan(REPLY_MAX_CHARS);
  for (const secret of secrets) {
    if (secret.length >= SECRET_MIN_CHARS.reply) expect({ label, raw }).not.toEqual({ label, raw: containing(secret) });
  }
  expectCleanLog(secrets);
  await expectState(given, wire);
}

/** Every line of the log is one line, short, and free of what was sent. */
export function expectCleanLog(secrets: readonly string[]): void {
  expect(logLines().filter((line) => line.includes('\n') || line.length > LOG_LINE_MAX_CHARS)).toEqual([]);
  // The log is JSON, so what was sent would stand there in its escapes.
  const spellings = secrets.flatMap((secret) => [secret, JSON.stringify(secret).slice(1, -1)]);
  for (const secret of spellings) {
    if (secret.length >= SECRET_MIN_CHARS.log) expect(logLines().filter((line) => line.includes(secret))).toEqual([]);
  }
}

/** The socket as the row wants it, and good frames answered: on it, or on a new one where it is closed. */
export async function expectState({ world, row }: Given, wire: Wire): Promise<void> {
  const state = row.expected_connection_state;
  if (state.startsWith('open')) {
    expect(wire.isOpen).toBe(true);
    await wire.call('heartbeat', {});
    return;
  }
  expect(state).toMatch(/^closed/);
  await wire.closed();
  await (await world.connect(wire.user)).call('heartbeat', {});
}

/** A case in a scene of its own. */
export const inScene =
  (run: (given: Given, scene: Scene) => Promise<void>): Case =>
  async (given) =>
    run(given, await given.world.scene());

/** A case: each of these frames, on one socket, is refused with this code. */
export function refuses(code: ErrorCode, ...frames: (BadFrame | string)[]): Case {
  return async (given) => {
    const wire = await given.world.connect();
    for (const frame of frames) await expectRefused(given, wire, code, frame);
  };
}

function containing(part: string): unknown {
  return expect.stringContaining(part);
}

/** The id of a request, where it can be read. */
function idOf(text: string): string | null {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return null;
  }
  const id: unknown = typeof value === 'object' && value !== null ? (value as { id?: unknown }).id : undefined;
  return typeof id === 'string' && id !== '' && id.length <= LIMITS.requestIdMaxChars ? id : null;
}
