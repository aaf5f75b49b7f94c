/** A public key set as an OIDC issuer serves it (RFC 7517). */
export interface KeySet {
  readonly keys: readonly Readonly<Record<string, unknown> & { kid: string; kty: string }>[];
}

/** Who issues the tokens. */
export interface Identity {
  /** The `iss` that a token must name. */
  readonly issuer: string;
  /** The `aud` that a token must name. */
  readonly audience: string;
  /** The issuer's keys as they stand now. @throws {Unavailable} */
  keySet(): Promise<KeySet>;
}
