import { useState } from 'preact/hooks';
import type { Config } from '../config.ts';
import type { Identity } from '../model/identity.ts';
import { fetchToken, openSession, type Session } from '../model/session.ts';
import { forgetIdentity, rememberIdentity, rememberedIdentity } from '../model/tab.ts';
import { SessionContext } from './session-context.ts';
import { Shell } from './shell.tsx';
import { SignIn } from './sign-in.tsx';

export function App({ config }: { readonly config: Config }) {
  const [session, setSession] = useState(() => {
    const identity = rememberedIdentity();
    return identity === undefined ? undefined : begin(config, identity);
  });

  if (session === undefined)
    return (
      <SignIn
        onSignIn={async (identity) => {
          // Asked first, so that a refusal is shown where the name was typed.
          const token = await fetchToken(config, identity);
          setSession(begin(config, identity, token));
        }}
      />
    );
  return (
    <SessionContext.Provider value={session}>
      <Shell
        session={session}
        onSignOut={() => {
          void session.client.close();
          forgetIdentity();
          setSession(undefined);
        }}
      />
    </SessionContext.Provider>
  );
}

function begin(config: Config, identity: Identity, firstToken?: string): Session {
  rememberIdentity(identity);
  const session = openSession(config, identity, firstToken);
  // It goes on by itself; `client.state` tells the page how it stands.
  void session.client.connect().catch(() => undefined);
  return session;
}
