import type { ConversationView, Message } from '@parley/client';
import { useCallback, useEffect, useRef, useState } from 'preact/hooks';
import { plural, titleOf } from '../model/describe.ts';
import { chunksOf } from '../model/timeline.ts';
import { Avatar } from './avatar.tsx';
import { ChunkView } from './chunk-view.tsx';
import { failureOf, type Failure } from './error-note.tsx';
import { useIsVisible, useToday } from './hooks.ts';
import { DownIcon } from './icons.tsx';
import { useSession } from './session-context.ts';
import { TypingLine } from './typing-line.tsx';
import { useTimelineScroll } from './use-timeline-scroll.ts';

/** The messages of one conversation. Mount it anew for another conversation (key). */
export function Timeline({ conversation }: { readonly conversation: ConversationView }) {
  const { client, identity, people } = useSession();
  const { conversationId, type, role, unread, hasOlder, loadingOlder } = conversation;
  const messages = client.messages(conversationId);
  const nameOf = (userId: string): string => people.nameOf(userId);
  const title = titleOf(conversation, identity.userId, nameOf);
  const nowMs = useToday();
  const older = useOlder(conversation);
  const { log, content, isAtEnd, onScroll, scrollToEnd } = useTimelineScroll(messages[0]?.key, older.load);
  const isReading = useIsVisible() && isAtEnd;
  const dividerSeq = useDividerSeq(conversation, messages, isReading);

  useEffect(() => {
    if (isReading && unread > 0) client.markRead(conversationId);
  });

  const lastKey = messages.at(-1)?.key;
  const isLastMine = messages.at(-1)?.mine === true;
  useEffect(() => {
    if (isLastMine) scrollToEnd();
  }, [lastKey]);

  return (
    <div class="timeline">
      <div
        class="log"
        ref={log}
        role="log"
        aria-live="polite"
        aria-relevant="additions"
        aria-busy={loadingOlder}
        aria-label={`Messages with ${title}`}
        tabIndex={0}
        onScroll={onScroll}
      >
        <div class="log-content" ref={content}>
          <Beginning conversation={conversation} title={title} isEmpty={messages.length === 0} />
          {older.failure !== undefined && hasOlder && (
            <p class="older-failed" role="alert">
              {older.failure.message} {older.failure.remediation}{' '}
              <button type="button" class="link-button" onClick={older.retry}>
                Load older messages
              </button>
            </p>
          )}
          {chunksOf(messages, dividerSeq).map(({ key, rows }) => (
            <ChunkView
              key={key}
              rows={rows}
              nowMs={nowMs}
              hasNames={type !== 'direct'}
              mayDelete={role === 'owner'}
              nameOf={nameOf}
              namesVersion={people.version}
            />
          ))}
          <TypingLine userIds={conversation.typing} />
        </div>
      </div>
      {loadingOlder && (
        <p class="older-loading" data-testid="older-loading" role="status">
          Loading older messages…
        </p>
      )}
      {!isAtEnd && (
        <button type="button" class="jump" data-testid="jump-newest" onClick={scrollToEnd}>
          <DownIcon />
          <span class="visually-hidden">Jump to the newest message</span>
          {unread > 0 && (
            <span class="badge">
              {unread}
              <span class="visually-hidden"> {unread === 1 ? 'new message' : 'new messages'}</span>
            </span>
          )}
        </button>
      )}
    </div>
  );
}

interface BeginningProps {
  readonly conversation: ConversationView;
  readonly title: string;
  readonly isEmpty: boolean;
}

/** Stands over the first message, once nothing older is left to load. */
function Beginning({ conversation, title, isEmpty }: BeginningProps) {
  const { identity } = useSession();
  if (conversation.hasOlder) return null;
  const isGroup = conversation.type !== 'direct';
  const partner = conversation.members?.find(({ userId }) => userId !== identity.userId)?.userId;
  return (
    <div class="beginning">
      <Avatar id={isGroup ? conversation.conversationId : (partner ?? '')} name={title} isGroup={isGroup} />
      <p class="beginning-title">
        <bdi>{title}</bdi>
      </p>
      <p>
        {isGroup ? `A group of ${plural(conversation.memberCount, 'person', 'people')}. ` : ''}
        {isEmpty ? 'Nothing has been said yet. Write the first message below.' : 'This is where it began.'}
      </p>
    </div>
  );
}

/** Loads older history once at a time; after a failure only when asked, so that a scroll does not hammer the server. */
function useOlder({ conversationId, hasOlder, loadingOlder }: ConversationView) {
  const { client } = useSession();
  const [failure, setFailure] = useState<Failure>();
  const request = useCallback(() => {
    setFailure(undefined);
    client.loadOlder(conversationId).catch((error: unknown) => setFailure(failureOf(error)));
  }, [client, conversationId]);
  const canLoad = useRef(false);
  canLoad.current = hasOlder && !loadingOlder && failure === undefined && client.state === 'online';
  const load = useCallback(() => {
    if (!canLoad.current) return;
    canLoad.current = false;
    request();
  }, [request]);
  return { failure, load, retry: request };
}

/**
 * After which seq the "new messages" divider stands. Set when messages arrive that are not read at once; stays until the
 * reader answers, so that it does not vanish under the eyes.
 */
function useDividerSeq({ readSeq, unread }: ConversationView, messages: readonly Message[], isReading: boolean) {
  const dividerSeq = useRef(unread > 0 ? readSeq : undefined);
  const isOver = dividerSeq.current === undefined || dividerSeq.current < readSeq;
  if (!isReading && unread > 0 && isOver) dividerSeq.current = readSeq;
  const lastMine = messages.at(-1)?.mine === true;
  if (lastMine) dividerSeq.current = undefined;
  return dividerSeq.current;
}
