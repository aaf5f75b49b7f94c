import { ConversationList } from './conversation-list.tsx';
import { Avatar } from './avatar.tsx';
import { LeaveIcon, Logo, PlusIcon } from './icons.tsx';
import { useSession } from './session-context.ts';
import { ThemeToggle } from './theme-toggle.tsx';

interface SidebarProps {
  readonly openId: string | undefined;
  readonly onNewChat: () => void;
  readonly onSignOut: () => void;
}

export function Sidebar({ openId, onNewChat, onSignOut }: SidebarProps) {
  const { client, identity } = useSession();
  const isEmpty = client.conversations.length === 0;
  return (
    <div class="sidebar">
      <header class="sidebar-header">
        <Logo />
        <h1>Parley</h1>
        <ThemeToggle />
        <button
          type="button"
          class="icon-button accent"
          data-testid="new-chat"
          aria-label="New chat"
          aria-keyshortcuts="Control+K Meta+K"
          title="New chat (Ctrl K)"
          onClick={onNewChat}
        >
          <PlusIcon />
        </button>
      </header>
      <nav class="sidebar-list" aria-label="Chats">
        {isEmpty ? (
          <NoConversations isKnown={client.state === 'online'} onNewChat={onNewChat} />
        ) : (
          <ConversationList openId={openId} />
        )}
      </nav>
      <footer class="sidebar-footer">
        <Avatar id={identity.userId} name={identity.name} />
        <p class="me">
          <span>
            <bdi>{identity.name}</bdi>
          </span>
          <span class="me-id">{identity.userId}</span>
        </p>
        <button type="button" class="icon-button" aria-label="Sign out" title="Sign out" onClick={onSignOut}>
          <LeaveIcon />
        </button>
      </footer>
    </div>
  );
}

/** Before the first answer of the server nobody knows whether there are none. */
function NoConversations({ isKnown, onNewChat }: { readonly isKnown: boolean; readonly onNewChat: () => void }) {
  if (!isKnown) return <p class="sidebar-empty">Looking for your chats…</p>;
  return (
    <div class="sidebar-empty">
      <p>No chats yet.</p>
      <button type="button" class="button" onClick={onNewChat}>
        Start a chat
      </button>
    </div>
  );
}
