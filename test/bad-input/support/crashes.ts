import { runInThisContext } from 'node:vm';

/** Jest gives tests a copy of `process`, which is told of no crash; this is the one that is. */
export const realProcess = runInThisContext('process') as NodeJS.Process;

const EVENTS = ['unhandledRejection', 'uncaughtException'] as const;

/** Keeps what nobody caught, until `stop`. */
export function watchCrashes(): { readonly crashes: readonly unknown[]; readonly stop: () => void } {
  const crashes: unknown[] = [];
  const note = (reason: unknown): void => {
    crashes.push(reason);
  };
  for (const event of EVENTS) realProcess.on(event, note);
  const stop = (): void => {
    for (const event of EVENTS) realProcess.off(event, note);
  };
  return { crashes, stop };
}
