import type { ConversationView, MessageStatus } from '@parley/client';
import { useRef } from 'preact/hooks';
import { partnerOf, plural, previewOf, titleOf, typingLine } from '../model/describe.ts';
import { listLabel, wholeLabel } from '../model/time.ts';
import { Avatar } from './avatar.tsx';
import { routeOf, useToday } from './hooks.ts';
import { memo } from './memo.tsx';
import { useSession } from './session-context.ts';
import { Tick } from './tick.tsx';

/** The list of conversations. One tab stop; the arrow keys, Home and End walk through it. */
export function ConversationList({ openId }: { readonly openId: string | undefined }) {
  const { client, identity, people } = useSession();
  const nowMs = useToday();
  const list = useRef<HTMLUListElement>(null);
  const nameOf = (userId: string): string => people.nameOf(userId);
  const { conversations } = client;
  const tabStop = conversations.some(({ conversationId }) => conversationId === openId)
    ? openId
    : conversations[0]?.conversationId;

  const walk = (event: KeyboardEvent): void => {
    const links = [...(list.current?.querySelectorAll<HTMLAnchorElement>('a') ?? [])];
    const target = stepTo(event.key, links.indexOf(event.target as HTMLAnchorElement), links.length);
    if (target === undefined) return;
    event.preventDefault();
    links[target]?.focus();
  };

  return (
    <ul class="conversations" ref={list} onKeyDown={walk}>
      {conversations.map((conversation) => {
        const { conversationId, type, lastMessage, typing, unread } = conversation;
        const partner = partnerOf(conversation, identity.userId);
        const typingText = type === 'direct' ? 'typing' : typingLine(typing, nameOf);
        return (
          <Item
            key={conversationId}
            conversationId={conversationId}
            title={titleOf(conversation, identity.userId, nameOf)}
            isGroup={type !== 'direct'}
            isOpen={conversationId === openId}
            isTabStop={conversationId === tabStop}
            partner={partner}
            isOnline={partner !== undefined && client.presence(partner).state === 'online'}
            preview={previewText(conversation, nameOf)}
            typing={typing.length > 0 ? `${typingText}…` : ''}
            status={lastMessage?.mine === true ? lastMessage.status : 'received'}
            atMs={lastMessage?.sentAtMs}
            nowMs={nowMs}
            unread={unread}
          />
        );
      })}
    </ul>
  );
}

function previewText({ lastMessage, type }: ConversationView, nameOf: (userId: string) => string): string {
  return lastMessage === undefined ? 'No messages yet' : previewOf(lastMessage, type !== 'direct', nameOf);
}

function stepTo(key: string, from: number, count: number): number | undefined {
  if (from < 0) return undefined;
  if (key === 'ArrowDown') return Math.min(from + 1, count - 1);
  if (key === 'ArrowUp') return Math.max(from - 1, 0);
  if (key === 'Home') return 0;
  return key === 'End' ? count - 1 : undefined;
}

interface ItemProps {
  readonly conversationId: string;
  readonly title: string;
  readonly isGroup: boolean;
  readonly isOpen: boolean;
  readonly isTabStop: boolean;
  /** The other member of a direct conversation. */
  readonly partner: string | undefined;
  readonly isOnline: boolean;
  readonly preview: string;
  readonly typing: string;
  readonly status: MessageStatus;
  readonly atMs: number | undefined;
  readonly nowMs: number;
  readonly unread: number;
}

const UNREAD_SHOWN_MAX = 999;

const Item = memo<ItemProps>(function Item(props) {
  const { conversationId, title, isGroup, isOpen, partner, isOnline, status, atMs, unread, typing } = props;
  return (
    <li>
      <a
        class={unread > 0 ? 'conversation-item has-unread' : 'conversation-item'}
        data-testid={`conversation-${conversationId}`}
        href={routeOf(conversationId)}
        aria-current={isOpen ? 'page' : undefined}
        tabIndex={props.isTabStop ? 0 : -1}
      >
        <Avatar
          id={partner ?? conversationId}
          name={title}
          isGroup={isGroup}
          presence={isOnline ? 'online' : 'offline'}
          dotFor={partner}
        />
        <span class="item-text">
          <span class="item-line">
            <span class="item-title">
              <bdi>{title}</bdi>
            </span>
            {atMs !== undefined && (
              <time class="item-time" dateTime={new Date(atMs).toISOString()} title={wholeLabel(atMs)}>
                {listLabel(atMs, props.nowMs)}
              </time>
            )}
          </span>
          <span class="item-line">
            {typing === '' ? (
              <span class="item-preview">
                {status !== 'received' && <Tick status={status} isInList />}
                <span class="item-preview-text">
                  <bdi>{props.preview}</bdi>
                </span>
              </span>
            ) : (
              <span class="item-preview is-typing">{typing}</span>
            )}
            {unread > 0 && (
              <>
                <span class="badge" data-testid={`unread-${conversationId}`} aria-hidden="true">
                  {unread > UNREAD_SHOWN_MAX ? `${String(UNREAD_SHOWN_MAX)}+` : unread}
                </span>
                <span class="visually-hidden">{plural(unread, 'unread message')}</span>
              </>
            )}
          </span>
        </span>
      </a>
    </li>
  );
});
