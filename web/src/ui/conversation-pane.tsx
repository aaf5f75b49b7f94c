import type { ConversationView } from '@parley/client';
import { useState } from 'preact/hooks';
import { membersLine, partnerOf, titleOf, typingLine } from '../model/describe.ts';
import { lastSeenLabel } from '../model/time.ts';
import { Avatar } from './avatar.tsx';
import { Composer } from './composer.tsx';
import { GoneNote } from './gone-note.tsx';
import { BackIcon, PeopleIcon } from './icons.tsx';
import { MembersDialog } from './members-dialog.tsx';
import { useSession } from './session-context.ts';
import { Timeline } from './timeline.tsx';

interface ConversationPaneProps {
  readonly conversation: ConversationView;
  readonly onBack: () => void;
}

export function ConversationPane({ conversation, onBack }: ConversationPaneProps) {
  const { client, identity, people } = useSession();
  const { conversationId, type, gone } = conversation;
  const [showsMembers, setShowsMembers] = useState(false);
  const nameOf = (userId: string): string => people.nameOf(userId);
  const title = titleOf(conversation, identity.userId, nameOf);
  const partner = partnerOf(conversation, identity.userId);
  // What is still on its way may bring the chat back: only a refusal is the end of it.
  const unsent = gone ? client.messages(conversationId).filter(({ status }) => status === 'failed') : [];
  const isOver = unsent.length > 0;
  return (
    <>
      <header class="pane-header">
        <button type="button" class="icon-button back" aria-label="Back to your chats" onClick={onBack}>
          <BackIcon />
        </button>
        <Avatar id={partner ?? conversationId} name={title} isGroup={type !== 'direct'} />
        <div class="pane-names">
          <h1>
            <bdi>{title}</bdi>
          </h1>
          <Subtitle conversation={conversation} />
        </div>
        {type !== 'direct' && !gone && (
          <button
            type="button"
            class="icon-button members-button"
            data-testid="open-members"
            aria-label={`Members of ${title}`}
            title="Members"
            onClick={() => setShowsMembers(true)}
          >
            <PeopleIcon />
          </button>
        )}
      </header>
      <Timeline key={`timeline-${conversationId}`} conversation={conversation} />
      {showsMembers && <MembersDialog conversation={conversation} onClose={() => setShowsMembers(false)} />}
      {isOver && <GoneNote conversation={conversation} unsent={unsent} />}
      <Composer key={`composer-${conversationId}`} conversationId={conversationId} title={title} isOver={isOver} />
    </>
  );
}

/** Under the name: who types, else presence of the other one, else who is in the group. */
function Subtitle({ conversation }: { readonly conversation: ConversationView }) {
  const { client, identity, people } = useSession();
  const nameOf = (userId: string): string => people.nameOf(userId);
  const partner = partnerOf(conversation, identity.userId);
  if (conversation.typing.length > 0) {
    const line = partner === undefined ? typingLine(conversation.typing, nameOf) : 'typing';
    return <p class="subtitle is-typing">{line}…</p>;
  }
  if (partner === undefined)
    return (
      <p class="subtitle">{conversation.type === 'direct' ? '' : membersLine(conversation, identity.userId, nameOf)}</p>
    );
  const { state, lastSeenAtMs } = client.presence(partner);
  if (state === 'online') return <p class="subtitle is-online">online</p>;
  return <p class="subtitle">{lastSeenAtMs === undefined ? '' : lastSeenLabel(lastSeenAtMs, Date.now())}</p>;
}
