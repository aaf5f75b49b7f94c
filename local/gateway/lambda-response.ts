/** A well-formed answer of a function behind a proxy integration. */
export interface ProxyResponse {
  readonly statusCode: number;
  readonly body: string | undefined;
  readonly headers: Readonly<Record<string, string>>;
}

const KEYS: ReadonlySet<string> = new Set(['statusCode', 'headers', 'multiValueHeaders', 'body', 'isBase64Encoded']);

/**
 * Reads the answer of a function as strictly as the service does: an unknown key, or no status code, makes it malformed.
 * `undefined`: malformed. With `lenient`, what cannot be read counts as an empty 200.
 */
export function readProxyResponse(answer: unknown, lenient: boolean): ProxyResponse | undefined {
  const strict = isObject(answer) ? readStrictly(answer, lenient) : undefined;
  return strict ?? (lenient ? { statusCode: 200, body: undefined, headers: {} } : undefined);
}

function readStrictly(answer: Record<string, unknown>, lenient: boolean): ProxyResponse | undefined {
  if (!lenient) {
    for (const key in answer) if (answer[key] !== undefined && !KEYS.has(key)) return undefined;
  }
  const statusCode = readStatus(answer['statusCode']);
  const body = answer['body'] ?? undefined;
  const base64 = answer['isBase64Encoded'] ?? false;
  const headers = readHeaders(answer['headers'] ?? {});
  const multi = answer['multiValueHeaders'] ?? {};
  if (statusCode === undefined || headers === undefined) return undefined;
  if (body !== undefined && typeof body !== 'string') return undefined;
  if (typeof base64 !== 'boolean' || !isObject(multi) || !Object.values(multi).every(Array.isArray)) return undefined;
  return { statusCode, body, headers };
}

/** A whole number from 200 to 599, also as a string. [I] for the string. */
function readStatus(value: unknown): number | undefined {
  const status = typeof value === 'string' && /^\d{3}$/.test(value) ? Number(value) : value;
  return typeof status === 'number' && Number.isInteger(status) && status >= 200 && status <= 599 ? status : undefined;
}

function readHeaders(value: unknown): Record<string, string> | undefined {
  if (!isObject(value)) return undefined;
  const headers: Record<string, string> = {};
  for (const [name, text] of Object.entries(value)) {
    if (text === undefined || text === null) continue;
    if (typeof text !== 'string' && typeof text !== 'number' && typeof text !== 'boolean') return undefined;
    headers[name] = String(text);
  }
  return headers;
}

/** The value of a header, whatever the case of its name. */
export function headerOf(response: ProxyResponse, lowerName: string): string | undefined {
  for (const name in response.headers) if (name.toLowerCase() === lowerName) return response.headers[name];
  return undefined;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
