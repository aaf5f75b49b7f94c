import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { FunctionDefinition } from '../../local/assembly/functions.ts';
import type { Statement } from '../../local/assembly/policies.ts';
import { LambdaRuntime, type LambdaRuntimeOptions } from '../../local/lambda/runtime.ts';

export const REGION = 'eu-west-1';
export const ACCOUNT_ID = '000000000000';

const folders: string[] = [];

export function makeFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'parley-runtime-'));
  folders.push(folder);
  return folder;
}

/** Removes every folder that the tests of this file made. */
export function removeFolders(): void {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
}

/** A function whose bundle is this text; `handler` is what it must export. */
export function makeFunction(
  name: string,
  code: string,
  settings: Partial<FunctionDefinition> = {},
): FunctionDefinition {
  const codeDir = makeFolder();
  writeFileSync(join(codeDir, 'index.mjs'), code);
  return {
    name,
    arn: `arn:aws:lambda:${REGION}:${ACCOUNT_ID}:function:${name}`,
    where: `test/${name}`,
    codeDir,
    handler: 'index.handler',
    runtime: 'nodejs24.x',
    environment: {},
    memoryMiB: 128,
    timeoutMs: 10_000,
    logGroup: `/aws/lambda/${name}`,
    roleArn: `arn:aws:iam::${ACCOUNT_ID}:role/${name}`,
    statements: [],
    permissions: [],
    ...settings,
  };
}

export function allow(actions: string[], resources: string[], conditions: Statement['conditions'] = []): Statement {
  return { from: 'test/policy', effect: 'Allow', actions, resources, conditions };
}

export interface StartedRuntime {
  readonly runtime: LambdaRuntime;
  readonly lines: string[];
  /** The payload of an invocation, parsed. */
  readonly answer: (name: string, event?: unknown) => Promise<unknown>;
}

export function startRuntime(
  functions: readonly FunctionDefinition[],
  options: Partial<LambdaRuntimeOptions> = {},
): StartedRuntime {
  const lines: string[] = [];
  const runtime = new LambdaRuntime({
    root: process.cwd(),
    region: REGION,
    functions,
    variables: () => ({}),
    redirects: { ports: {}, addresses: {} },
    log: (_, line) => lines.push(line),
    ...options,
  });
  const answer = async (name: string, event?: unknown): Promise<unknown> =>
    JSON.parse((await runtime.invoke(name, event)).payload) as unknown;
  return { runtime, lines, answer };
}

/** Resolves when it holds; fails the test when it does not within that time. */
export async function until(holds: () => boolean, what: string, withinMs = 10_000): Promise<void> {
  const deadlineMs = Date.now() + withinMs;
  while (!holds()) {
    if (Date.now() > deadlineMs) throw new Error(`not so within ${withinMs} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
