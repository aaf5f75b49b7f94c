import { createContext } from 'preact';
import { useContext, useEffect, useReducer } from 'preact/hooks';
import type { Session } from '../model/session.ts';

export const SessionContext = createContext<Session | undefined>(undefined);

/** The session of the signed-in user. Only below the sign-in. */
export function useSession(): Session {
  const session = useContext(SessionContext);
  if (session === undefined) throw new Error('useSession is used outside of a session');
  return session;
}

/** Renders the caller again whenever something that the client or the people show has changed. */
export function useChanges({ client, people }: Session): void {
  const [, rerender] = useReducer<number, undefined>((version) => version + 1, 0);
  useEffect(() => {
    const update = (): void => rerender(undefined);
    const stops = [client.on('change', update), people.subscribe(update)];
    // Something may have changed between the first render and this effect.
    update();
    return () => stops.forEach((stop) => stop());
  }, [client, people]);
}
