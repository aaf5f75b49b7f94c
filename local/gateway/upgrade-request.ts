import type { IncomingMessage } from 'node:http';

/** A header or query parameter that may stand more than once. */
export interface Fields {
  /** The last value of each. [I] for repeated ones. */
  readonly single: Record<string, string>;
  readonly multi: Record<string, string[]>;
}

/** What the events of a handshake show of the upgrade request. */
export interface UpgradeRequest {
  /** Names in the client's own case; what the service removes and adds is done. */
  readonly headers: Fields;
  /** `undefined` without a query. */
  readonly query: Fields | undefined;
  readonly sourceIp: string;
  readonly userAgent: string | undefined;
}

const REMOVED: ReadonlySet<string> = new Set(['connection', 'upgrade', 'content-length', 'x-amzn-trace-id']);

export function readUpgradeRequest(request: IncomingMessage, traceId: string): UpgradeRequest {
  const sourceIp = (request.socket.remoteAddress ?? '').replace(/^::ffff:/, '');
  const headers = collect(pairs(request.rawHeaders).filter(([name]) => !REMOVED.has(name.toLowerCase())));
  const forwarded = valuesOf(headers, 'x-forwarded-for');
  setField(headers, 'X-Amzn-Trace-Id', traceId);
  setField(headers, 'X-Forwarded-For', [...(forwarded ?? []), sourceIp].join(', '));
  setField(headers, 'X-Forwarded-Port', '443');
  setField(headers, 'X-Forwarded-Proto', 'https');
  const url = request.url ?? '';
  const mark = url.indexOf('?');
  const query = mark < 0 ? [] : [...new URLSearchParams(url.slice(mark + 1))];
  return {
    headers: toFields(headers),
    query: query.length === 0 ? undefined : toFields(collect(query)),
    sourceIp,
    userAgent: request.headers['user-agent'],
  };
}

/** The same fields with others added; names sorted as in the events, without regard to case. */
export function withFields(fields: Fields, added: Readonly<Record<string, string>>): Fields {
  const entries = new Map(Object.entries(fields.multi));
  for (const [name, value] of Object.entries(added)) entries.set(name, [value]);
  return toFields(entries);
}

function pairs(rawHeaders: readonly string[]): [string, string][] {
  const found: [string, string][] = [];
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) found.push([rawHeaders[i] ?? '', rawHeaders[i + 1] ?? '']);
  return found;
}

/** Header names differ in case only by accident, so equal ones share the spelling of the first; query names are exact. */
function collect(entries: readonly (readonly [string, string])[]): Map<string, string[]> {
  const values = new Map<string, string[]>();
  for (const [name, value] of entries) {
    const known = values.get(name);
    if (known) known.push(value);
    else values.set(name, [value]);
  }
  return values;
}

function valuesOf(values: Map<string, string[]>, lowerName: string): string[] | undefined {
  for (const [name, found] of values) if (name.toLowerCase() === lowerName) return found;
  return undefined;
}

function setField(values: Map<string, string[]>, name: string, value: string): void {
  for (const known of [...values.keys()]) if (known.toLowerCase() === name.toLowerCase()) values.delete(known);
  values.set(name, [value]);
}

function toFields(values: Map<string, string[]>): Fields {
  const sorted = [...values].sort(([a], [b]) => (a.toLowerCase() < b.toLowerCase() ? -1 : 1));
  return {
    // fromEntries makes own properties, also of a name such as __proto__.
    single: Object.fromEntries(sorted.map(([name, all]) => [name, all[all.length - 1] ?? ''])),
    multi: Object.fromEntries(sorted),
  };
}
