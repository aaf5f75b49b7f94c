import type { RefObject } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { LIMITS } from '@parley/protocol';
import { partnerOf, titleOf } from '../model/describe.ts';
import type { Session } from '../model/session.ts';
import { Banner } from './banner.tsx';
import { ConversationPane } from './conversation-pane.tsx';
import { routeOf, useOpenConversation } from './hooks.ts';
import { NewChatDialog } from './new-chat-dialog.tsx';
import { useChanges } from './session-context.ts';
import { Sidebar } from './sidebar.tsx';
import { Welcome } from './welcome.tsx';

/** The page of a signed-in user: the list, the open conversation, and what lies over them. */
export function Shell({ session, onSignOut }: { readonly session: Session; readonly onSignOut: () => void }) {
  useChanges(session);
  const { client } = session;
  const [openId, open] = useOpenConversation();
  const [isDialogOpen, setIsDialogOpen] = useState(false);
  const pane = useRef<HTMLElement>(null);
  const conversation = openId === undefined ? undefined : client.conversation(openId);
  useTitle(session, openId);
  useWatchedPresence(session, openId, isDialogOpen);
  useFocusInPane(pane, openId);

  useEffect(() => {
    const onKey = (event: KeyboardEvent): void => {
      if (event.key.toLowerCase() !== 'k' || !(event.ctrlKey || event.metaKey) || event.altKey || event.shiftKey)
        return;
      event.preventDefault();
      setIsDialogOpen(true);
    };
    addEventListener('keydown', onKey);
    return () => removeEventListener('keydown', onKey);
  }, []);

  return (
    <main class="shell" data-pane={openId === undefined ? 'list' : 'conversation'}>
      <button type="button" class="skip-link" onClick={() => pane.current?.focus()}>
        Skip to the conversation
      </button>
      <Banner onSignOut={onSignOut} />
      <Sidebar openId={openId} onNewChat={() => setIsDialogOpen(true)} onSignOut={onSignOut} />
      <section class="pane" ref={pane} tabIndex={-1} aria-label="Conversation">
        {conversation === undefined ? (
          <Welcome
            isMissing={openId !== undefined}
            onNewChat={() => setIsDialogOpen(true)}
            onBack={() => open(undefined)}
          />
        ) : (
          <ConversationPane conversation={conversation} onBack={() => open(undefined)} />
        )}
      </section>
      {isDialogOpen && <NewChatDialog onOpen={open} onClose={() => setIsDialogOpen(false)} />}
    </main>
  );
}

/** Moves the focus along when one pane takes the place of the other, so that it is never on something hidden. */
function useFocusInPane(pane: RefObject<HTMLElement | null>, openId: string | undefined): void {
  const before = useRef(openId);
  useEffect(() => {
    const leftId = before.current;
    before.current = openId;
    if (leftId === openId) return;
    if (openId !== undefined) {
      if (pane.current?.contains(document.activeElement) === false) pane.current.focus({ preventScroll: true });
    } else if (leftId !== undefined) document.querySelector<HTMLElement>(`a[href="${routeOf(leftId)}"]`)?.focus();
  }, [openId]);
}

/** The tab says how many messages wait, and where one is. */
function useTitle({ client, identity, people }: Session, openId: string | undefined): void {
  const unread = client.conversations.reduce((sum, conversation) => sum + conversation.unread, 0);
  const conversation = openId === undefined ? undefined : client.conversation(openId);
  const place = conversation && titleOf(conversation, identity.userId, (userId) => people.nameOf(userId));
  const title = `${unread > 0 ? `(${String(unread)}) ` : ''}${place === undefined ? '' : `${place} – `}Parley`;
  useEffect(() => {
    document.title = title;
  }, [title]);
}

/** Presence is asked for those on the screen only: the open conversation first, then the list, then the dialog. */
function useWatchedPresence({ client, identity, people }: Session, openId: string | undefined, isDialogOpen: boolean) {
  const ids = new Set<string>();
  const opened = openId === undefined ? undefined : client.conversation(openId);
  for (const { userId } of opened?.members ?? []) ids.add(userId);
  for (const conversation of client.conversations) {
    const partner = partnerOf(conversation, identity.userId);
    if (partner !== undefined) ids.add(partner);
  }
  if (isDialogOpen) for (const { userId } of people.all) ids.add(userId);
  ids.delete(identity.userId);
  const watched = [...ids].slice(0, LIMITS.watchedUsersMax);
  const key = watched.sort().join(' ');
  useEffect(() => client.watchPresence(watched), [client, key]);
}
