/** Whom a token names. */
export interface User {
  readonly userId: string;
  readonly workspaceId: string;
}
