import type { FunctionDefinition } from '../assembly/functions.ts';
import type { Environment } from './environment.ts';
import { Throttled, type InvokeResult } from './result.ts';

export interface PoolOptions {
  readonly definition: FunctionDefinition;
  /** Environments at once, where the template reserves no concurrency: what comes on top waits. */
  readonly environmentsMax: number;
  readonly start: () => Environment;
  readonly log: (line: string) => void;
}

/** The environments of one function. A busy one is never shared; an idle one is used again. */
export class FunctionPool {
  private readonly environments = new Set<Environment>();
  private readonly waiting: { resolve: (environment: Environment) => void; reject: (error: Error) => void }[] = [];
  private isStopped = false;

  constructor(private options: PoolOptions) {}

  get definition(): FunctionDefinition {
    return this.options.definition;
  }

  /** Process ids of the environments, the busy ones first. */
  get pids(): number[] {
    const ordered = [...this.environments].sort((a, b) => Number(b.isBusy) - Number(a.isBusy));
    return ordered.flatMap(({ pid }) => (pid === undefined ? [] : [pid]));
  }

  /** @throws {Throttled} the concurrency that the template reserves is used up */
  async invoke(event: string): Promise<InvokeResult> {
    const environment = await this.acquire();
    try {
      return await environment.invoke(event);
    } finally {
      this.release(environment);
    }
  }

  /** Starts an environment ahead of the first event, unless there is one. */
  prepare(): void {
    if (this.environments.size === 0 && !this.isStopped) this.start();
  }

  /** From the next event on the function runs other code. What is under way ends with the old one. */
  replace(options: PoolOptions): void {
    this.options = options;
    for (const environment of this.environments) {
      environment.isRetired = true;
      if (!environment.isBusy) void this.discard(environment);
    }
  }

  async stop(): Promise<void> {
    this.isStopped = true;
    for (const { reject } of this.waiting.splice(0)) reject(new Error(`${this.definition.name} is stopped`));
    await Promise.all([...this.environments].map((environment) => this.discard(environment)));
  }

  private acquire(): Environment | Promise<Environment> {
    if (this.isStopped) throw new Error(`${this.definition.name} is stopped`);
    const idle = [...this.environments].reverse().find(({ isBusy, isRetired }) => !isBusy && !isRetired);
    if (idle) return claim(idle);
    const { reservedConcurrency } = this.definition;
    const active = [...this.environments].filter(({ isRetired }) => !isRetired).length;
    if (reservedConcurrency !== undefined && active >= reservedConcurrency) {
      this.options.log(`THROTTLED: ${reservedConcurrency} at once are reserved`);
      throw new Throttled('Rate Exceeded.');
    }
    if (active < (reservedConcurrency ?? this.options.environmentsMax)) return claim(this.start());
    if (this.waiting.length === 0) this.options.log(`QUEUED: ${active} environments are busy, which is the most here`);
    return new Promise((resolve, reject) => this.waiting.push({ resolve, reject }));
  }

  private start(): Environment {
    const environment = this.options.start();
    this.environments.add(environment);
    void environment.ended.then(() => {
      this.environments.delete(environment);
    });
    return environment;
  }

  private release(environment: Environment): void {
    environment.isBusy = false;
    if (environment.pid === undefined) this.environments.delete(environment);
    else if (environment.isRetired) void this.discard(environment);
    const next = this.waiting.shift();
    next?.resolve(claim(this.environments.has(environment) ? environment : this.start()));
  }

  private async discard(environment: Environment): Promise<void> {
    this.environments.delete(environment);
    await environment.kill();
  }
}

/** Before anything is awaited: two events must not find the same one idle. */
function claim(environment: Environment): Environment {
  environment.isBusy = true;
  return environment;
}
