import { statfsSync } from 'node:fs';
import { EngineProblem } from './problem.ts';

/** With less than this nothing here can go on. */
const LEFT_MIN_BYTES = 1024 * 1024;
const SAID = /no space left on device|insufficient disk space/i;

/**
 * Whether what went wrong in `dir` did so for want of space: by what was said, or, since a log on a full disk is cut short, by what is left.
 */
export function isDiskFull(dir: string, said: string): boolean {
  if (SAID.test(said)) return true;
  try {
    const { bavail, bsize } = statfsSync(dir);
    return bavail * bsize < LEFT_MIN_BYTES;
  } catch {
    return false;
  }
}

export function diskFull(title: string, dir: string): EngineProblem {
  return new EngineProblem(`${title} found no space left on the disk of ${dir}: free some and start again.`);
}
