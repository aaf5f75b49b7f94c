import { BEARER_PREFIX } from '@parley/protocol';

interface WithHeaders {
  readonly headers?: Readonly<Record<string, string | undefined>> | null;
  readonly multiValueHeaders?: Readonly<Record<string, readonly string[] | undefined>> | null;
}

/** The sub-protocols that a client offers, in its order; the header may stand several times, in any case of letters. */
export function subprotocolsOf({ headers, multiValueHeaders }: WithHeaders): string[] {
  const isProtocolHeader = ([name]: [string, unknown]): boolean => name.toLowerCase() === 'sec-websocket-protocol';
  const values =
    Object.entries(multiValueHeaders ?? {}).find(isProtocolHeader)?.[1] ??
    Object.entries(headers ?? {})
      .filter(isProtocolHeader)
      .map(([, value]) => value ?? '');
  return [values]
    .flat()
    .filter((value: unknown) => typeof value === 'string')
    .join(',')
    .split(',')
    .map((one) => one.trim());
}

/** The token of a handshake; undefined unless there is exactly one. */
export function bearerOf(event: WithHeaders): string | undefined {
  const tokens = subprotocolsOf(event).filter((one) => one.startsWith(BEARER_PREFIX));
  return tokens.length === 1 ? tokens[0]?.slice(BEARER_PREFIX.length) : undefined;
}
