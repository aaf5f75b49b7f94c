import { spawn, type ChildProcess } from 'node:child_process';

/** Kills what it was told of, once its input ends: when our process is gone, however it went. */
const SCRIPT = `
pids=" "
while read -r op pid; do
  case $op in
    +) pids="$pids$pid " ;;
    -) pids="\${pids%% $pid *} \${pids#* $pid }" ;;
  esac
done
[ "$pids" = " " ] || kill -KILL $pids 2>/dev/null
`;

/**
 * Sees to it that no child outlives this process. A child would notice that by itself, but not while it is frozen: a frozen process runs
 * nothing.
 */
export class Reaper {
  private readonly shell: ChildProcess | undefined;

  constructor() {
    // Out of the terminal's group, so that Ctrl-C does not end it first.
    this.shell =
      process.platform === 'win32'
        ? undefined
        : spawn('/bin/sh', ['-c', SCRIPT], { stdio: ['pipe', 'ignore', 'ignore'], detached: true });
    this.shell?.stdin?.on('error', () => undefined);
    this.shell?.on('error', () => undefined);
    this.shell?.unref();
  }

  watch(pid: number): void {
    this.shell?.stdin?.write(`+ ${pid}\n`);
  }

  /** It has ended: its number may be another's soon. */
  forget(pid: number): void {
    this.shell?.stdin?.write(`- ${pid}\n`);
  }

  close(): void {
    this.shell?.stdin?.end();
  }
}
