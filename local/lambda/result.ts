import { FunctionError } from '../gateway/gateway.ts';

/** What Lambda answers to a synchronous invocation. */
export interface InvokeResult {
  /** JSON: what the function returned, or `{errorType, errorMessage, trace?}`. */
  readonly payload: string;
  readonly failed: boolean;
}

/** Too many invocations at once: the function was not run. */
export class Throttled extends Error {
  override readonly name = 'TooManyRequestsException';
}

export function failure(errorType: string, errorMessage: string): InvokeResult {
  return { payload: JSON.stringify({ errorType, errorMessage }), failed: true };
}

/** What the function returned. @throws {FunctionError} it failed */
export function returned({ payload, failed }: InvokeResult): unknown {
  const value: unknown = JSON.parse(payload);
  if (!failed) return value;
  const { errorType, errorMessage } = value as { errorType?: string; errorMessage?: string };
  throw new FunctionError(errorType ?? 'Error', errorMessage ?? '');
}

const SIGNALS: Readonly<Record<string, string>> = {
  SIGKILL: 'killed',
  // How Node.js ends when the memory is used up.
  SIGABRT: 'killed',
  SIGTERM: 'terminated',
  SIGSEGV: 'segmentation fault',
};

/** The environment ended before it had answered. */
export function exitFailure(requestId: string, code: number | null, signal: NodeJS.Signals | null): InvokeResult {
  const how =
    signal !== null
      ? ` with error: signal: ${SIGNALS[signal] ?? signal}`
      : code === 0
        ? ' without providing a reason'
        : ` with error: exit status ${code ?? 1}`;
  return failure('Runtime.ExitError', `RequestId: ${requestId} Error: Runtime exited${how}`);
}

export function timeOutFailure(requestId: string, timeoutMs: number): InvokeResult {
  const seconds = (timeoutMs / 1_000).toFixed(2);
  return failure('Sandbox.Timedout', `RequestId: ${requestId} Error: Task timed out after ${seconds} seconds`);
}
