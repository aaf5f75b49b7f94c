import { logger } from '../../../lambdas/runtime/logger.ts';

const lines: string[] = [];
const keep = (line: string): void => {
  lines.push(line);
};

/** From now on the functions' log is kept here, everything from INFO on, and nothing of it is printed. */
export function captureLog(): void {
  const printing = logger as unknown as { console: Record<string, (line: string) => void> };
  printing.console = { log: keep, debug: keep, info: keep, warn: keep, error: keep };
  logger.setLogLevel('INFO');
  lines.length = 0;
}

/** What was logged since `captureLog`, a line each. */
export function logLines(): readonly string[] {
  return lines;
}
