import { ParleyClient, indexedDbStorage } from '@parley/client';
import type { Config } from '../config.ts';
import type { Identity } from './identity.ts';
import { People } from './people.ts';

/** A signed-in user: the connection and what the page knows beside it. */
export interface Session {
  readonly identity: Identity;
  readonly client: ParleyClient;
  readonly people: People;
}

/** A failure to show as it stands: what happened, and what to do about it. */
export class SignInError extends Error {
  override readonly name = 'SignInError';
  constructor(
    message: string,
    readonly remediation: string,
  ) {
    super(message);
  }
}

/**
 * Gets a token from the local issuer.
 * @throws {SignInError} when the server cannot be reached or refuses the name
 */
export async function fetchToken(config: Config, { userId, name }: Identity): Promise<string> {
  const { tokenUrl, workspaceId } = config;
  const body = JSON.stringify({ userId, name, ...(workspaceId !== undefined && { workspaceId }) });
  const answer = await fetch(tokenUrl, { method: 'POST', headers: { 'content-type': 'application/json' }, body }).catch(
    () => {
      throw new SignInError('The server does not answer.', 'Check that it is running (npm start), then try again.');
    },
  );
  if (answer.status >= 400 && answer.status < 500)
    throw new SignInError('The server does not accept this name.', 'Try a shorter name, of letters and spaces.');
  if (!answer.ok) throw new SignInError('The server has a problem.', 'Wait a moment, then try again.');
  const { token } = (await answer.json()) as { token: string };
  return token;
}

/** Opens the connection; it goes on connecting by itself. Each user has a store of its own, so that users of one browser do not meet. */
export function openSession(config: Config, identity: Identity, firstToken?: string): Session {
  let unused = firstToken;
  const client = new ParleyClient({
    url: config.socketUrl,
    storage: indexedDbStorage(`parley.${config.workspaceId ?? 'demo'}.${identity.userId}`),
    token: () => {
      const token = unused;
      unused = undefined;
      return token === undefined ? fetchToken(config, identity) : Promise.resolve(token);
    },
  });
  return { identity, client, people: new People(client, identity) };
}
