import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { DeployedApp } from '../local/assembly/deployed-app.ts';
import type { Engines } from '../local/engines/engines.ts';
import type { Cost } from '../local/lambda/environment.ts';
import { startEnginesApp, type EnginesApp } from '../local/start-engines/app.ts';
import type { ServerInfo } from './serve.ts';

/** The synthesized app on engines, and what its functions did. */
export interface RecordedApp {
  readonly app: EnginesApp;
  readonly info: ServerInfo;
  /** Since the last reset: the AWS calls that functions made for what clients sent. */
  readonly calls: string[];
  /** Since the last reset: what each event of `send` took. */
  readonly sends: Cost[];
  readonly reset: () => void;
}

/** @param change what the template says */
export async function withRecordedApp<T>(
  engines: Engines,
  assembly: string,
  change: (app: DeployedApp) => DeployedApp,
  measure: (recorded: RecordedApp) => Promise<T>,
): Promise<T> {
  const dir = mkdtempSync(join(tmpdir(), 'parley-bench-'));
  const calls: string[] = [];
  const sends: Cost[] = [];
  const app = await startEnginesApp({
    root: process.cwd(),
    assembly,
    engines: () => Promise.resolve(engines),
    dir,
    change,
    log: () => undefined,
    // Repair looks after everything in the background, whether a message came just now or not.
    onCall: (functionName, call) => functionName.endsWith('-repair') || calls.push(call),
    onCost: (functionName, cost) => functionName.endsWith('-send') && sends.push(cost),
  });
  try {
    const info = { url: app.socketUrl, tokenUrl: `${app.url}/dev/token` };
    const reset = (): void => {
      calls.length = 0;
      sends.length = 0;
    };
    return await measure({ app, info, calls, sends, reset });
  } finally {
    await app.close();
    rmSync(dir, { recursive: true });
  }
}
