import { LIMITS } from '@parley/protocol';
import { useEffect, useState } from 'preact/hooks';
import { cleanName, userIdOf, type Identity } from '../model/identity.ts';
import { SignInError } from '../model/session.ts';
import { recentNames } from '../model/tab.ts';
import { ErrorNote } from './error-note.tsx';
import { Logo } from './icons.tsx';
import { ThemeToggle } from './theme-toggle.tsx';

const UNKNOWN = new SignInError('Signing in did not work.', 'Load the page again.');

/** Asks for a name; on the local server that is all it takes. `onSignIn` rejects with a SignInError to be shown. */
export function SignIn({ onSignIn }: { readonly onSignIn: (identity: Identity) => Promise<void> }) {
  const [typed, setTyped] = useState('');
  const [isBusy, setIsBusy] = useState(false);
  const [error, setError] = useState<SignInError>();
  const recent = useState(recentNames)[0];

  useEffect(() => {
    document.title = 'Parley';
  }, []);

  const signIn = (raw: string): void => {
    const name = cleanName(raw);
    if (name === '') {
      setError(new SignInError('A name is missing.', 'Type the name that others will see.'));
      return;
    }
    setIsBusy(true);
    setError(undefined);
    onSignIn({ userId: userIdOf(name), name }).catch((failure: unknown) => {
      setIsBusy(false);
      setError(failure instanceof SignInError ? failure : UNKNOWN);
    });
  };

  return (
    <div class="sign-in">
      <header class="sign-in-theme">
        <ThemeToggle />
      </header>
      <main class="sign-in-card">
        <Logo />
        <h1>Parley</h1>
        <p class="sign-in-lead">Good talk, on your own machine. Choose a name and start.</p>
        <form
          novalidate
          onSubmit={(event) => {
            event.preventDefault();
            signIn(typed);
          }}
        >
          <label class="field">
            <span class="field-label">Your name</span>
            <input
              class="input"
              data-testid="name-input"
              name="name"
              value={typed}
              maxLength={LIMITS.nameMaxChars}
              autocomplete="nickname"
              autofocus
              required
              dir="auto"
              aria-describedby={error === undefined ? undefined : 'sign-in-error'}
              aria-invalid={error !== undefined}
              onInput={(event) => setTyped(event.currentTarget.value)}
            />
          </label>
          {error !== undefined && <ErrorNote id="sign-in-error" error={error} />}
          <button class="button primary wide" data-testid="sign-in" type="submit" disabled={isBusy}>
            {isBusy ? 'Signing in…' : 'Sign in'}
          </button>
        </form>
        {recent.length > 0 && (
          <div class="recent">
            <p id="recent-label">Or go on as</p>
            <ul aria-labelledby="recent-label">
              {recent.map((name) => (
                <li key={name}>
                  <button type="button" class="chip" disabled={isBusy} onClick={() => signIn(name)}>
                    <bdi>{name}</bdi>
                  </button>
                </li>
              ))}
            </ul>
          </div>
        )}
      </main>
      <footer class="sign-in-hint">Each tab can be another person: open a second one to talk to yourself.</footer>
    </div>
  );
}
