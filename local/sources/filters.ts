/**
 * Whether an event fits one of the patterns of a mapping; without patterns every event does. A pattern is JSON in the shape of the event, with
 * lists of accepted values at its leaves.
 * @throws for the comparing forms of patterns (`prefix`, `exists`, …), which are not evaluated here
 */
export function matchesSome(patterns: readonly string[], event: unknown): boolean {
  return patterns.length === 0 || patterns.some((pattern) => fits(JSON.parse(pattern), event));
}

function fits(pattern: unknown, value: unknown): boolean {
  if (Array.isArray(pattern)) {
    const accepted = pattern as unknown[];
    if (accepted.some((item) => typeof item === 'object' && item !== null)) {
      throw new Error(`the filter ${JSON.stringify(pattern)} is not evaluated here: name the values.`);
    }
    return accepted.includes(value);
  }
  if (typeof pattern !== 'object' || pattern === null) throw new Error('a filter has lists of values at its leaves.');
  if (typeof value !== 'object' || value === null) return false;
  return Object.entries(pattern).every(([key, part]) => fits(part, (value as Record<string, unknown>)[key]));
}
