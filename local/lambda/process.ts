import { fork, type ChildProcess } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Reaper } from './reaper.ts';

export interface ProcessOptions {
  /** The repository: where the bootstrap lies. */
  readonly root: string;
  readonly memoryMiB: number;
  /** Certificate of the local services, for a file name in PEM. */
  readonly caFile?: string;
  readonly reaper: Reaper;
}

export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

const IS_WINDOWS = process.platform === 'win32';

/** A process with the bootstrap loaded, and no function yet: the memory limit is all that cannot be changed later. */
export class EnvironmentProcess {
  readonly memoryMiB: number;
  readonly ended: Promise<Ended>;
  private readonly child: ChildProcess;
  private hasEnded = false;

  constructor({ root, memoryMiB, caFile, reaper }: ProcessOptions) {
    this.memoryMiB = memoryMiB;
    const { PATH = '' } = process.env;
    this.child = fork(join(root, 'local', 'lambda', 'bootstrap.mjs'), [], {
      cwd: root,
      // Nothing else of the developer's environment; the bootstrap takes even this away before it loads the function.
      env: { PATH, ...(caFile !== undefined && { NODE_EXTRA_CA_CERTS: caFile }) },
      execArgv: [`--max-old-space-size=${memoryMiB}`],
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      // Out of the terminal's group: Ctrl-C reaches us alone, and we end what we started.
      detached: !IS_WINDOWS,
    });
    const { pid } = this.child;
    if (pid !== undefined) reaper.watch(pid);
    this.ended = new Promise((resolve) => {
      const end = (code: number | null, signal: NodeJS.Signals | null): void => {
        if (pid !== undefined && !this.hasEnded) reaper.forget(pid);
        this.hasEnded = true;
        resolve({ code, signal });
      };
      this.child.once('exit', end);
      this.child.on('error', () => {
        if (this.child.pid === undefined) end(127, null);
      });
    });
  }

  get pid(): number | undefined {
    return this.hasEnded ? undefined : this.child.pid;
  }

  /** Everything that it writes, a line at a time. */
  onOutput(listener: (line: string) => void): void {
    for (const stream of [this.child.stdout, this.child.stderr]) {
      if (stream) createInterface({ input: stream }).on('line', listener);
    }
  }

  onMessage(listener: (message: object) => void): void {
    this.child.on('message', (message) => listener(message as object));
  }

  send(message: object): void {
    // Whoever waits for an answer learns of the end of the process.
    this.child.send(message, () => undefined);
  }

  freeze(): void {
    this.signal('SIGSTOP');
  }

  thaw(): void {
    this.signal('SIGCONT');
  }

  /** Frozen or not. Resolves when it is gone. */
  async kill(): Promise<void> {
    this.signal('SIGKILL');
    await this.ended;
  }

  private signal(name: NodeJS.Signals): void {
    if (this.hasEnded || (IS_WINDOWS && name !== 'SIGKILL')) return;
    this.child.kill(name);
  }
}
