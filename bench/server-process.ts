import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import type { ServerFigures, ServerInfo } from './serve.ts';

/** A server under test in a process of its own, so that its memory and CPU time are its alone. */
export class ServerProcess {
  private constructor(
    private readonly child: ChildProcess,
    readonly info: ServerInfo,
  ) {}

  static async start(file: string): Promise<ServerProcess> {
    const child = fork(file, {
      execArgv: ['--conditions=parley-source', '--import', 'tsx', '--expose-gc'],
      env: { ...process.env, POWERTOOLS_LOG_LEVEL: 'ERROR' },
    });
    const [info] = (await once(child, 'message')) as [ServerInfo];
    return new ServerProcess(child, info);
  }

  async figures(): Promise<ServerFigures> {
    this.child.send('figures');
    const [figures] = (await once(this.child, 'message')) as [ServerFigures];
    return figures;
  }

  async stop(): Promise<void> {
    this.child.send('stop');
    await once(this.child, 'exit');
  }
}
