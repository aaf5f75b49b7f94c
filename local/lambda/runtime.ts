import type { FunctionDefinition } from '../assembly/functions.ts';
import { Environment, type Cost } from './environment.ts';
import { FunctionPool, type PoolOptions } from './pool.ts';
import { EnvironmentProcess } from './process.ts';
import { Reaper } from './reaper.ts';
import type { Redirects } from './redirect.mjs';
import type { InvokeResult } from './result.ts';

export interface LambdaRuntimeOptions {
  /** The repository. */
  readonly root: string;
  readonly region: string;
  readonly functions: Iterable<FunctionDefinition>;
  /** Added to the template's variables of a function, and stronger: its keys, and what is different on this machine. */
  readonly variables: (functionName: string) => Readonly<Record<string, string>>;
  readonly redirects: Redirects;
  /** File with the certificate of the local services. */
  readonly caFile?: string;
  /** Gets every line that a function or its environment writes. */
  readonly log?: (functionName: string, line: string) => void;
  /** Gets what each event that was answered has cost. */
  readonly onCost?: (functionName: string, cost: Cost) => void;
  /** Environments of one function at once. Default 10. */
  readonly environmentsMax?: number;
}

const ENVIRONMENTS_MAX = 10;

/** Runs functions as the Lambda service does: a process per execution environment, one event at a time, as many environments as events. */
export class LambdaRuntime {
  private readonly pools = new Map<string, FunctionPool>();
  private readonly reaper = new Reaper();
  /** A process that is ready for whichever function of that memory needs one next. */
  private readonly spares = new Map<number, EnvironmentProcess>();
  private isStopped = false;

  constructor(private readonly options: LambdaRuntimeOptions) {
    for (const definition of options.functions) {
      this.pools.set(definition.name, new FunctionPool(this.poolOptions(definition)));
    }
  }

  /**
   * Invokes a function and waits for its answer. Rejects only when it was not run at all.
   * @throws {Throttled}
   */
  async invoke(functionName: string, event: unknown): Promise<InvokeResult> {
    return this.poolOf(functionName).invoke(JSON.stringify(event ?? null));
  }

  has(functionName: string): boolean {
    return this.pools.has(functionName);
  }

  /** Process ids of the environments of a function, the busy ones first. */
  pidsOf(functionName: string): number[] {
    return this.poolOf(functionName).pids;
  }

  /** The next event of that function runs the code that the definition names; what is under way ends undisturbed. */
  replace(definition: FunctionDefinition): void {
    this.poolOf(definition.name).replace(this.poolOptions(definition));
  }

  /** Starts an environment for each of these functions ahead of its first event, and loads its code. */
  prepare(functionNames: Iterable<string>): void {
    for (const name of functionNames) this.poolOf(name).prepare();
  }

  /** Ends all environments, whatever they do. */
  async stop(): Promise<void> {
    this.isStopped = true;
    await Promise.all([...this.pools.values()].map((pool) => pool.stop()));
    await Promise.all([...this.spares.values()].map((spare) => spare.kill()));
    this.reaper.close();
  }

  private poolOf(functionName: string): FunctionPool {
    const pool = this.pools.get(functionName);
    if (!pool) throw new Error(`there is no function ${functionName}`);
    return pool;
  }

  private poolOptions(definition: FunctionDefinition): PoolOptions {
    const { region, redirects, variables, log = () => undefined, environmentsMax = ENVIRONMENTS_MAX } = this.options;
    const { name } = definition;
    const write = (line: string): void => log(name, line);
    return {
      definition,
      environmentsMax,
      log: write,
      start: () =>
        new Environment(
          { definition, variables: variables(name), region, redirects },
          this.takeProcess(definition.memoryMiB),
          write,
          (cost) => this.options.onCost?.(name, cost),
        ),
    };
  }

  private takeProcess(memoryMiB: number): EnvironmentProcess {
    const spare = this.spares.get(memoryMiB);
    this.spares.delete(memoryMiB);
    const taken = spare?.pid !== undefined ? spare : this.startProcess(memoryMiB);
    // Not now: the event at hand has the processor first.
    setImmediate(() => this.makeSpare(memoryMiB));
    return taken;
  }

  private makeSpare(memoryMiB: number): void {
    if (this.isStopped || this.spares.get(memoryMiB)?.pid !== undefined) return;
    this.spares.set(memoryMiB, this.startProcess(memoryMiB));
  }

  private startProcess(memoryMiB: number): EnvironmentProcess {
    const { root, caFile } = this.options;
    return new EnvironmentProcess({ root, memoryMiB, reaper: this.reaper, ...(caFile !== undefined && { caFile }) });
  }
}
