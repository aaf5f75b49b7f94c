/** Evaluates a route selection expression on a message that is JSON. */
export type RouteSelector = (message: unknown) => string;

const VARIABLE =
  /\\(?<escaped>\$)|\$\{request\.body(?<wrapped>[^}]*)\}|\$request\.body(?<bare>(?:\.[\w-]+|\[[^\]]*\])+)/g;
const STEP = /\.(?<name>[\w$-]+)|\[(?<index>\d+)\]|\[(?:'(?<single>[^']*)'|"(?<double>[^"]*)")\]/y;

/**
 * Compiles an expression: variables (`$request.body.a.b[0]`, `${request.body.a}`), static text, and `\$` for a dollar sign.
 * A missing path is the empty text. One pass: values are never evaluated again.
 * @throws {Error} naming the part that is no expression.
 */
export function compileRouteSelection(expression: string): RouteSelector {
  const parts: (string | string[])[] = [];
  let end = 0;
  for (const match of expression.matchAll(VARIABLE)) {
    pushText(parts, expression.slice(end, match.index), expression);
    end = match.index + match[0].length;
    const { escaped, wrapped, bare } = match.groups ?? {};
    parts.push(escaped ?? compilePath(wrapped ?? bare ?? '', expression));
  }
  pushText(parts, expression.slice(end), expression);
  const only = parts[0];
  if (parts.length === 1 && Array.isArray(only)) return (message) => stringify(walk(message, only));
  return (message) => parts.map((part) => (typeof part === 'string' ? part : stringify(walk(message, part)))).join('');
}

function pushText(parts: (string | string[])[], text: string, expression: string): void {
  if (text.includes('$')) throw new Error(`Route selection expression '${expression}': '${text}' is not supported.`);
  if (text !== '') parts.push(text);
}

function compilePath(path: string, expression: string): string[] {
  const steps: string[] = [];
  STEP.lastIndex = 0;
  while (STEP.lastIndex < path.length) {
    const groups = STEP.exec(path)?.groups;
    const step = groups && (groups['name'] ?? groups['index'] ?? groups['single'] ?? groups['double']);
    if (step === undefined) throw new Error(`Route selection expression '${expression}': '${path}' is not supported.`);
    steps.push(step);
  }
  return steps;
}

function walk(message: unknown, path: readonly string[]): unknown {
  let value = message;
  for (const step of path) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, step)) return undefined;
    // The length of a list is JavaScript's, not the message's.
    if (Array.isArray(value) && step === 'length') return undefined;
    value = (value as Record<string, unknown>)[step];
  }
  return value;
}

function stringify(value: unknown): string {
  if (typeof value === 'string') return value;
  if (value === undefined || value === null) return '';
  if (Array.isArray(value)) return `[${value.map(stringify).join(', ')}]`;
  return JSON.stringify(value);
}
