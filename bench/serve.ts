/** What a server process tells the benchmark. */
export interface ServerInfo {
  readonly url: string;
  /** Where tokens come from; absent for a server that asks for none. */
  readonly tokenUrl?: string;
}

export interface ServerFigures {
  readonly rssBytes: number;
  /** CPU time of the process so far. */
  readonly cpuMs: number;
}

/** The server's end of the channel to the benchmark: says where it listens, answers `figures`, ends on `stop`. */
export function serveBench({ close, ...info }: ServerInfo & { readonly close: () => Promise<void> }): void {
  process.on('message', (message) => {
    if (message === 'figures') {
      globalThis.gc?.();
      const { user, system } = process.cpuUsage();
      process.send?.({ rssBytes: process.memoryUsage().rss, cpuMs: (user + system) / 1_000 } satisfies ServerFigures);
    }
    if (message === 'stop') void close().then(() => process.exit(0));
  });
  process.on('disconnect', () => process.exit(1));
  process.send?.(info);
}
