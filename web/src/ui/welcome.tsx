import { Logo, PlusIcon } from './icons.tsx';
import { useSession } from './session-context.ts';

interface WelcomeProps {
  /** The address names a conversation that this user does not have. */
  readonly isMissing: boolean;
  readonly onNewChat: () => void;
  readonly onBack: () => void;
}

const MISSING = 'It does not exist, or you are not a member of it. Go back to your chats, or start a new one.';
const NONE_YET = 'Start your first chat with someone who has signed in here too.';

/** Fills the place of the conversation while none is open, and says what to do next. */
export function Welcome({ isMissing, onNewChat, onBack }: WelcomeProps) {
  const { client, identity } = useSession();
  // Before the first answer of the server it may still turn up.
  if (isMissing && client.state !== 'online')
    return (
      <div class="welcome">
        <p>Opening the chat…</p>
      </div>
    );
  return (
    <div class="welcome">
      <Logo />
      <h1>{isMissing ? 'This chat is not here' : <>Hello, {<bdi>{identity.name}</bdi>}</>}</h1>
      <p>
        {isMissing
          ? MISSING
          : client.conversations.length === 0
            ? NONE_YET
            : 'Pick a chat on the left, or start a new one.'}
      </p>
      <div class="welcome-actions">
        <button type="button" class="button primary" onClick={onNewChat}>
          <PlusIcon /> New chat
        </button>
        {isMissing && (
          <button type="button" class="button" onClick={onBack}>
            Back to your chats
          </button>
        )}
      </div>
      <p class="hint wide-only">
        <kbd>Ctrl</kbd> <kbd>K</kbd> starts a chat from anywhere.
      </p>
    </div>
  );
}
