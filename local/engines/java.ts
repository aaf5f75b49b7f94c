import type { Command } from './supervise.ts';
import type { Place } from './engine.ts';

/** What every engine on the JVM is started with: quick to start rather than quick for hours, and no file outside its own folder. */
export function javaCommand({ dir, tools }: Place, heap: string, args: readonly string[]): Command {
  const options = [
    `-Xmx${heap}`,
    '-XX:+UseSerialGC',
    '-XX:TieredStopAtLevel=1',
    '-XX:-UsePerfData',
    `-Djava.io.tmpdir=${dir}`,
  ];
  return { file: tools.java ?? 'java', args: [...options, ...args], cwd: dir };
}
