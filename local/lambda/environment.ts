import { randomBytes, randomUUID } from 'node:crypto';
import type { FunctionDefinition } from '../assembly/functions.ts';
import type { EnvironmentProcess } from './process.ts';
import type { Redirects } from './redirect.mjs';
import { exitFailure, timeOutFailure, type InvokeResult } from './result.ts';

export interface FunctionCode {
  readonly definition: FunctionDefinition;
  /** All that the code sees of the environment, `AWS_LAMBDA_*` aside. */
  readonly variables: Readonly<Record<string, string>>;
  readonly region: string;
  readonly redirects: Redirects;
}

/** What an event has cost the process, from when it had it to its answer. */
export interface Cost {
  readonly handlerMs: number;
  /** Of all its threads: what the code itself computed, and the runtime for it. The rest of `handlerMs` it waited. */
  readonly cpuMs: number;
}

interface Answer extends Partial<Cost> {
  readonly type: 'answer';
  readonly requestId: string;
  readonly payload: string;
  readonly failed: boolean;
  readonly crashed?: boolean;
  readonly rssBytes: number;
}

type Message = Answer | { readonly type: 'initialized'; readonly error?: string };

/** AWS allows ten seconds for it. */
const INIT_TIMEOUT_MS = 10_000;

/**
 * One execution environment of a function: answers one event at a time and is frozen in between, so that what a handler leaves behind without
 * waiting for it goes on only with the next event.
 */
export class Environment {
  /** Resolves when the process is gone. */
  readonly ended: Promise<unknown>;
  /** Kept by the pool: has an event. */
  isBusy = false;
  /** Kept by the pool: is not given another event. */
  isRetired = false;
  private readonly initialized: Promise<string | undefined>;
  private pending: { requestId: string; settle: (answer: Answer) => void } | undefined;
  private initMs: number | undefined;

  constructor(
    private readonly code: FunctionCode,
    private readonly process: EnvironmentProcess,
    private readonly log: (line: string) => void,
    private readonly onCost: (cost: Cost) => void = () => undefined,
  ) {
    this.ended = process.ended;
    process.onOutput(log);
    const startedAtMs = performance.now();
    this.initialized = new Promise((resolve) => {
      process.onMessage((message) => {
        const received = message as Message;
        if (received.type === 'initialized') {
          this.initMs = performance.now() - startedAtMs;
          resolve(received.error);
        } else if (received.requestId === this.pending?.requestId) this.pending.settle(received);
      });
    });
    const { definition, redirects } = code;
    process.send({
      type: 'init',
      environment: variablesOf(code),
      taskRoot: definition.codeDir,
      handler: definition.handler,
      runtimeMajor: Number(/\d+/.exec(definition.runtime)?.[0]),
      redirects,
    });
  }

  get pid(): number | undefined {
    return this.process.pid;
  }

  /** Never rejects. After a crash or a time-out the environment is gone. */
  async invoke(event: string): Promise<InvokeResult> {
    const { definition } = this.code;
    const requestId = randomUUID();
    this.process.thaw();
    this.log(`START RequestId: ${requestId} Version: $LATEST`);
    const initError = await this.raceEnd(this.initialized, INIT_TIMEOUT_MS);
    const startedAtMs = performance.now();
    let rssBytes = 0;
    let result: InvokeResult;
    if (initError === 'timeout') result = timeOutFailure(requestId, INIT_TIMEOUT_MS);
    else if (isEnded(initError)) result = exitFailure(requestId, initError.code, initError.signal);
    else if (initError !== undefined) result = { payload: initError, failed: true };
    else {
      const answered = await this.raceEnd(this.run(requestId, event), definition.timeoutMs);
      if (answered === 'timeout') result = timeOutFailure(requestId, definition.timeoutMs);
      else if (isEnded(answered)) result = exitFailure(requestId, answered.code, answered.signal);
      else {
        ({ rssBytes } = answered);
        const { handlerMs, cpuMs } = answered;
        if (handlerMs !== undefined && cpuMs !== undefined) this.onCost({ handlerMs, cpuMs });
        result = answered;
        if (answered.crashed) await this.ended;
      }
      if (answered === 'timeout') await this.process.kill();
    }
    if (initError !== undefined) await this.process.kill();
    this.report(requestId, performance.now() - startedAtMs, rssBytes);
    this.process.freeze();
    return { payload: result.payload, failed: result.failed };
  }

  kill(): Promise<void> {
    return this.process.kill();
  }

  private run(requestId: string, event: string): Promise<Answer> {
    return new Promise((resolve) => {
      const { definition } = this.code;
      this.pending = { requestId, settle: resolve };
      const traceId = `Root=1-${Math.floor(Date.now() / 1_000).toString(16)}-${randomBytes(12).toString('hex')}`;
      const deadlineMs = Date.now() + definition.timeoutMs;
      this.process.send({ type: 'invoke', requestId, event, deadlineMs, functionArn: definition.arn, traceId });
    });
  }

  /** What comes first: the work, the end of the process, or the time-out. */
  private async raceEnd<T>(work: Promise<T>, timeoutMs: number) {
    let timer: NodeJS.Timeout | undefined;
    const timeout = new Promise<'timeout'>((resolve) => {
      timer = setTimeout(() => resolve('timeout'), timeoutMs);
    });
    const ended = this.process.ended.then((end) => ({ ...end, ended: true as const }));
    try {
      return await Promise.race([work, ended, timeout]);
    } finally {
      clearTimeout(timer);
    }
  }

  private report(requestId: string, durationMs: number, rssBytes: number): void {
    const { memoryMiB } = this.code.definition;
    const init = this.initMs === undefined ? '' : `\tInit Duration: ${this.initMs.toFixed(2)} ms`;
    this.initMs = undefined;
    this.log(`END RequestId: ${requestId}`);
    this.log(
      `REPORT RequestId: ${requestId}\tDuration: ${durationMs.toFixed(2)} ms\tBilled Duration: ${Math.ceil(durationMs)} ms` +
        `\tMemory Size: ${memoryMiB} MB\tMax Memory Used: ${Math.round(rssBytes / 1_048_576)} MB${init}`,
    );
  }
}

function isEnded(value: unknown): value is { ended: true; code: number | null; signal: NodeJS.Signals | null } {
  return typeof value === 'object' && value !== null && 'ended' in value;
}

function variablesOf({ definition, variables, region }: FunctionCode): Record<string, string> {
  const { PATH = '' } = process.env;
  return {
    PATH,
    LANG: 'en_US.UTF-8',
    TZ: ':UTC',
    AWS_REGION: region,
    AWS_DEFAULT_REGION: region,
    AWS_EXECUTION_ENV: `AWS_Lambda_${definition.runtime}`,
    AWS_LAMBDA_FUNCTION_NAME: definition.name,
    AWS_LAMBDA_FUNCTION_VERSION: '$LATEST',
    AWS_LAMBDA_FUNCTION_MEMORY_SIZE: String(definition.memoryMiB),
    AWS_LAMBDA_LOG_GROUP_NAME: definition.logGroup,
    AWS_LAMBDA_LOG_STREAM_NAME: `${new Date().toISOString().slice(0, 10).replaceAll('-', '/')}/[$LATEST]${randomBytes(16).toString('hex')}`,
    AWS_LAMBDA_INITIALIZATION_TYPE: 'on-demand',
    LAMBDA_TASK_ROOT: definition.codeDir,
    _HANDLER: definition.handler,
    ...definition.environment,
    ...variables,
  };
}
