import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';

/**
 * Runs a command whose end is bound to a pipe that only our process holds: when it closes, by `end` or because our process died of
 * whatever, the command is told to end, and killed when it does not. The first line of output is the command's process id.
 */
const SUPERVISOR = `
log=$1; shift
exec 3<&0
"$@" >>"$log" 2>&1 </dev/null 3<&- &
command=$!
echo "$command"
exec >/dev/null
{
  while read -r _ <&3; do :; done
  kill -TERM "$command"
  waited=0
  while kill -0 "$command" && [ "$waited" -lt 100 ]; do sleep 0.1; waited=$((waited + 1)); done
  kill -KILL "$command"
} 2>/dev/null &
watcher=$!
exec 3<&-
wait "$command"
code=$?
kill "$watcher" 2>/dev/null
exit "$code"
`;

export interface Supervised {
  readonly pid: number;
  /** Resolves with its exit code when it has ended; above 128 it was ended by that signal. Never rejects. */
  readonly ended: Promise<number>;
  hasEnded(): boolean;
  /** Tells it to end, kills it after 10 s, and resolves when it is gone. */
  end(): Promise<void>;
  /** Ends it in the middle of whatever it does, and resolves when it is gone. */
  kill(): Promise<void>;
}

export interface Command {
  readonly file: string;
  readonly args: readonly string[];
  readonly cwd: string;
  /** All that it finds in its environment. Default: what we have in ours. */
  readonly env?: Readonly<Record<string, string>>;
}

/** Starts a command that never outlives this process. Its output is appended to `logFile`. */
export async function supervise({ file, args, cwd, env }: Command, logFile: string): Promise<Supervised> {
  const shell = spawn('/bin/sh', ['-c', SUPERVISOR, 'supervisor', logFile, file, ...args], {
    cwd,
    ...(env && { env }),
    stdio: ['pipe', 'pipe', 'ignore'],
    // Out of the terminal's group: Ctrl-C reaches us alone, and we end what we started.
    detached: true,
  });
  let code: number | undefined;
  const ended = new Promise<number>((resolve) => {
    shell.once('exit', (status) => resolve((code = status ?? 128)));
    shell.once('error', () => resolve((code = 127)));
  });
  // A pipe whose reader is gone.
  shell.stdin.on('error', () => undefined);
  const lines = createInterface({ input: shell.stdout });
  const [line] = (await Promise.race([once(lines, 'line'), ended.then(() => [])])) as [string?];
  const pid = Number(line);
  const end = async (): Promise<void> => {
    shell.stdin.end();
    await ended;
  };
  const kill = async (): Promise<void> => {
    if (code === undefined) process.kill(pid, 'SIGKILL');
    await ended;
  };
  return { pid, ended, hasEnded: () => code !== undefined, end, kill };
}
