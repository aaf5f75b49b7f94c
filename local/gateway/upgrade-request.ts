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

const REMOVED: ReadonlySet<string> = new Set(['connection', 'upgrade', 'content-length']);

/** The service's own headers, with what it adds: the address of the caller after what the client claims of proxies. */
export function readUpgradeRequest(request: IncomingMessage, traceId: string): UpgradeRequest {
  const sourceIp = (request.socket.remoteAddress ?? '').replace(/^::ffff:/, '');
  const headers = new FieldMap((name) => name.toLowerCase());
  for (let i = 0; i + 1 < request.rawHeaders.length; i += 2) {
    const [name = '', value = ''] = request.rawHeaders.slice(i, i + 2);
    if (!REMOVED.has(name.toLowerCase())) headers.add(name, value);
  }
  headers.set('X-Amzn-Trace-Id', traceId);
  headers.set('X-Forwarded-For', [...headers.get('X-Forwarded-For'), sourceIp].join(', '));
  headers.set('X-Forwarded-Port', '443');
  headers.set('X-Forwarded-Proto', 'https');
  const query = new FieldMap((name) => name);
  const url = request.url ?? '';
  const mark = url.indexOf('?');
  if (mark >= 0) for (const [name, value] of new URLSearchParams(url.slice(mark + 1))) query.add(name, value);
  return {
    headers: headers.toFields(),
    query: query.isEmpty ? undefined : query.toFields(),
    sourceIp,
    userAgent: request.headers['user-agent'],
  };
}

/** The same headers with others in place of those of the same names. */
export function withHeaders(headers: Fields, added: Readonly<Record<string, string>>): Fields {
  const map = new FieldMap((name) => name.toLowerCase());
  for (const [name, values] of Object.entries(headers.multi)) for (const value of values) map.add(name, value);
  for (const [name, value] of Object.entries(added)) map.set(name, value);
  return map.toFields();
}

/** Names with their values. Names that `keyOf` takes for the same are spelled as the first of them came. */
class FieldMap {
  readonly #fields = new Map<string, { readonly name: string; readonly values: string[] }>();

  constructor(private readonly keyOf: (name: string) => string) {}

  get isEmpty(): boolean {
    return this.#fields.size === 0;
  }

  get(name: string): readonly string[] {
    return this.#fields.get(this.keyOf(name))?.values ?? [];
  }

  add(name: string, value: string): void {
    const known = this.#fields.get(this.keyOf(name));
    if (known) known.values.push(value);
    else this.#fields.set(this.keyOf(name), { name, values: [value] });
  }

  set(name: string, value: string): void {
    this.#fields.set(this.keyOf(name), { name, values: [value] });
  }

  /** Sorted without regard to case, as events show them. `fromEntries` makes own properties, also of a name such as `__proto__`. */
  toFields(): Fields {
    const sorted = [...this.#fields.values()].sort((a, b) => (a.name.toLowerCase() < b.name.toLowerCase() ? -1 : 1));
    return {
      single: Object.fromEntries(sorted.map(({ name, values }) => [name, values[values.length - 1] ?? ''])),
      multi: Object.fromEntries(sorted.map(({ name, values }) => [name, values])),
    };
  }
}
