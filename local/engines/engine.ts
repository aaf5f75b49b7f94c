import { appendFileSync, mkdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { diskFull, isDiskFull } from './disk.ts';
import { freePorts } from './ports.ts';
import { EngineProblem } from './problem.ts';
import { supervise, type Command, type Supervised } from './supervise.ts';
import type { EngineTools } from './tools.ts';

export interface Place {
  /** The engine's own folder, for its settings and data. */
  readonly dir: string;
  /** The first is the one that clients use. */
  readonly ports: readonly number[];
  readonly tools: EngineTools;
  /** The folder of what was fetched for it; empty for an engine that the machine has. */
  readonly fetched: string;
  /** Runs a command that prepares the data, to its end. */
  readonly run: (command: Command) => Promise<void>;
}

/** How one kind of engine is run. */
export interface EngineKind {
  readonly title: string;
  readonly portCount: number;
  /** Writes settings where they are missing, and says what to run. Called before every start. */
  prepare(place: Place): Command | Promise<Command>;
  /** Whether it answers its clients now. */
  isReady(port: number): Promise<boolean>;
}

export interface EngineOptions {
  readonly dir: string;
  readonly tools: EngineTools;
  readonly fetched: string;
  /** How long it may take to answer its clients. Default 120 s. */
  readonly readyWithinMs?: number;
  /** Called when it ends and nobody told it to. */
  readonly onDeath: (problem: EngineProblem) => void;
}

const READY_WITHIN_MS = 120_000;
const POLL_MS = 50;
const PORT_ATTEMPTS_MAX = 4;
const PORT_TAKEN = /already in use|in use by another process|BindException/i;

/** One engine on this machine. It never outlives this process. */
export class Engine {
  readonly host = '127.0.0.1';
  readonly logFile: string;
  /** The port for clients, from the first start on. The same after every start. */
  port = 0;
  private ports: readonly number[] = [];
  private running: Supervised | undefined;
  /** Grows with every start and end that was asked for: what ends in another one is a death. */
  private wanted = 0;

  constructor(
    private readonly kind: EngineKind,
    private readonly options: EngineOptions,
  ) {
    this.logFile = join(options.dir, 'engine.log');
    try {
      mkdirSync(options.dir, { recursive: true });
      appendFileSync(this.logFile, '');
    } catch (error) {
      throw (error as NodeJS.ErrnoException).code === 'ENOSPC' ? diskFull(kind.title, options.dir) : error;
    }
  }

  /** The engine's own process. */
  get pid(): number | undefined {
    return this.running?.hasEnded() === false ? this.running.pid : undefined;
  }

  /**
   * Starts it with the data that an earlier start left, and resolves when it answers its clients. The first start chooses ports.
   * @throws {EngineProblem} it ended, or did not answer in time; nothing of it is left running
   */
  async start(): Promise<void> {
    const attemptsMax = this.ports.length === 0 ? PORT_ATTEMPTS_MAX : 1;
    for (let attempt = 1; ; attempt++) {
      const ports = this.ports.length === 0 ? await freePorts(this.kind.portCount) : this.ports;
      const logFrom = statSync(this.logFile).size;
      try {
        await this.startOn(ports);
        this.ports = ports;
        this.port = ports[0] ?? 0;
        return;
      } catch (error) {
        await this.running?.end();
        if (attempt < attemptsMax && PORT_TAKEN.test(this.logSince(logFrom))) continue;
        throw this.explain(error, logFrom);
      }
    }
  }

  /** Ends it in good order. It can be started again. */
  async stop(): Promise<void> {
    this.wanted++;
    await this.running?.end();
  }

  /** Ends it as a crash would. It can be started again. */
  async kill(): Promise<void> {
    this.wanted++;
    await this.running?.kill();
  }

  private async startOn(ports: readonly number[]): Promise<void> {
    const { dir, tools, fetched } = this.options;
    const run = async (preparation: Command): Promise<void> => {
      this.running = await supervise(preparation, this.logFile);
      const code = await this.running.ended;
      if (code !== 0) throw new EngineProblem(`could not be prepared (exit code ${code})`);
    };
    const wanted = ++this.wanted;
    const command = await this.kind.prepare({ dir, ports, tools, fetched, run });
    if (wanted !== this.wanted) throw new EngineProblem('was stopped before it was ready');
    const running = await supervise(command, this.logFile);
    this.running = running;
    if (wanted !== this.wanted) throw new EngineProblem('was stopped before it was ready');
    await this.untilReady(running, ports[0] ?? 0);
    void running.ended.then((code) => {
      if (wanted === this.wanted)
        this.options.onDeath(this.explain(new EngineProblem(`ended with exit code ${code}`), 0));
    });
  }

  private async untilReady(running: Supervised, port: number): Promise<void> {
    const { readyWithinMs = READY_WITHIN_MS } = this.options;
    const deadline = Date.now() + readyWithinMs;
    while (!(await this.kind.isReady(port))) {
      if (running.hasEnded())
        throw new EngineProblem(`ended with exit code ${await running.ended} before it was ready`);
      if (Date.now() > deadline) throw new EngineProblem(`was not ready after ${readyWithinMs / 1_000} s`);
      await wait(POLL_MS);
    }
    // Somebody else may answer on a port that it could not get.
    if (running.hasEnded()) throw new EngineProblem('ended before it was ready');
  }

  private logSince(offset: number): string {
    return readFileSync(this.logFile).subarray(offset).toString('utf8');
  }

  private explain(error: unknown, logFrom: number): EngineProblem {
    const { title } = this.kind;
    const { dir } = this.options;
    if (isDiskFull(dir, `${String(error)}\n${this.logSince(logFrom)}`)) return diskFull(title, dir);
    if (!(error instanceof EngineProblem)) return new EngineProblem(`${title}: ${String(error)}`);
    return new EngineProblem(`${title} ${error.message}: its log ${this.logFile} says why.`);
  }
}
