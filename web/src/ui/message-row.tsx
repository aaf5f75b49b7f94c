import type { Message } from '@parley/client';
import { useState } from 'preact/hooks';
import { clockLabel, wholeLabel } from '../model/time.ts';
import { hueClass } from './avatar.tsx';
import { failureOf, type Failure } from './error-note.tsx';
import { memo } from './memo.tsx';
import { MessageText } from './message-text.tsx';
import { useSession } from './session-context.ts';
import { Tick } from './tick.tsx';

/** Messages never change: another state is another object, so a row renders again only when what it shows has changed. */
export interface MessageRowProps {
  readonly message: Message;
  readonly isFirst: boolean;
  readonly isLast: boolean;
  readonly senderName: string;
  /** Whether the name stands over the first message of a group. */
  readonly hasName: boolean;
}

export const MessageRow = memo<MessageRowProps>(function MessageRow({ message, isFirst, isLast, senderName, hasName }) {
  const { key, seq, text, mine, status, sentAtMs, senderId } = message;
  const showsName = hasName && isFirst && !mine;
  return (
    <li
      class={`message${mine ? ' mine' : ''}${isFirst ? ' first' : ''}${isLast ? ' last' : ''}`}
      data-testid="message"
      data-seq={seq}
      data-status={status}
      data-key={key}
      data-mine={String(mine)}
    >
      <div class="bubble">
        {showsName ? (
          <span class={`sender ${hueClass(senderId)}`}>
            <bdi>{senderName}</bdi>
          </span>
        ) : (
          <span class="visually-hidden">{mine ? 'You' : senderName}: </span>
        )}
        <div class="bubble-body" dir="auto">
          <MessageText text={text} />
          <span class="meta">
            <time dir="auto" dateTime={new Date(sentAtMs).toISOString()} title={wholeLabel(sentAtMs)}>
              {clockLabel(sentAtMs)}
            </time>
            {status !== 'received' && <Tick status={status} />}
          </span>
        </div>
      </div>
      {status === 'failed' && <Failed message={message} />}
    </li>
  );
});

/** Why a message was not sent, and the two ways on. */
function Failed({ message: { key, error } }: { readonly message: Message }) {
  const { client } = useSession();
  const [failure, setFailure] = useState<Failure>();
  const fail = (reason: unknown): void => setFailure(failureOf(reason));
  const shown = failure ?? error;
  return (
    <div class="failed">
      <span>{shown === undefined ? 'Not sent.' : `${shown.message} ${shown.remediation}`}</span>
      <button type="button" class="link-button" onClick={() => void client.retry(key).catch(fail)}>
        Try again
      </button>
      <button type="button" class="link-button" onClick={() => void client.discard(key).catch(fail)}>
        Discard
      </button>
    </div>
  );
}
