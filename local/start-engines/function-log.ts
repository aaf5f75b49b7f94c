import { closeSync, openSync, writeSync } from 'node:fs';

/** What the author of a function should see without looking for it. */
const NOTABLE = /"level":"(?:WARN|ERROR|CRITICAL)"|^REFUSED|^THROTTLED|^QUEUED|\tInvoke Error\t|FATAL ERROR/;

/** All lines of the functions in a file; on the console the notable ones, or all. */
export class FunctionLog {
  private readonly fd: number;

  constructor(
    readonly file: string,
    private readonly isVerbose: boolean,
    private readonly print: (line: string) => void,
  ) {
    this.fd = openSync(file, 'a');
  }

  readonly write = (functionName: string, line: string): void => {
    writeSync(this.fd, `${new Date().toISOString()} ${functionName} ${line}\n`);
    if (this.isVerbose || NOTABLE.test(line)) this.print(`[${functionName}] ${line}`);
  };

  close(): void {
    closeSync(this.fd);
  }
}
