/** One measured figure. */
export interface Figure {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  /** The same of bare `ws`, measured in the same run. */
  readonly floor?: number;
  /** What the design asks for. */
  readonly goal?: string;
}

/** The value below which `share` (0 to 1) of the samples lie. */
export function percentile(samples: readonly number[], share: number): number {
  const sorted = [...samples].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? NaN;
}

export function printTable(figures: readonly Figure[]): void {
  const header = ['what', 'parley', 'bare ws', 'ratio', 'goal'];
  const rows = figures.map(({ name, value, unit, floor, goal }) => [
    name,
    `${format(value)} ${unit}`,
    floor === undefined ? '' : `${format(floor)} ${unit}`,
    floor === undefined ? '' : `${format(value / floor)} ×`,
    goal ?? '',
  ]);
  const widths = header.map((title, column) => Math.max(title.length, ...rows.map((row) => row[column]!.length)));
  const line = (cells: string[]) =>
    cells
      .map((cell, i) => cell.padEnd(widths[i]!))
      .join('   ')
      .trimEnd();
  console.log([line(header), line(widths.map((width) => '─'.repeat(width))), ...rows.map(line)].join('\n'));
}

function format(value: number): string {
  return value >= 100 ? Math.round(value).toLocaleString('en') : value.toFixed(value >= 10 ? 1 : 2);
}
