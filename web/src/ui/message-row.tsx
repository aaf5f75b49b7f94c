import type { Message } from '@parley/client';
import { useState } from 'preact/hooks';
import { clockLabel, wholeLabel } from '../model/time.ts';
import { hueClass } from './avatar.tsx';
import { ErrorNote, failureOf, type Failure } from './error-note.tsx';
import { memo } from './memo.tsx';
import { MessageEditor } from './message-editor.tsx';
import { MessageMenu } from './message-menu.tsx';
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
  /** Whether the reader may delete what others have said. */
  readonly mayDelete: boolean;
}

export const MessageRow = memo<MessageRowProps>(function MessageRow(props) {
  const { message, isFirst, isLast, senderName, hasName, mayDelete } = props;
  const { key, seq, text, mine, status, sentAtMs, senderId, editedAtMs, deleted } = message;
  const [isEditing, setIsEditing] = useState(false);
  const [failure, setFailure] = useState<Failure>();
  const showsName = hasName && isFirst && !mine;
  const canChange = seq !== undefined && !deleted && (mine || mayDelete);
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
          {isEditing && !deleted ? (
            <MessageEditor message={message} onDone={() => setIsEditing(false)} />
          ) : deleted ? (
            <span class="deleted-text">This message was deleted.</span>
          ) : (
            <MessageText text={text} />
          )}
          <span class="meta">
            {editedAtMs !== undefined && <span title={wholeLabel(editedAtMs)}>edited</span>}
            <time dir="auto" dateTime={new Date(sentAtMs).toISOString()} title={wholeLabel(sentAtMs)}>
              {clockLabel(sentAtMs)}
            </time>
            {status !== 'received' && <Tick status={status} />}
          </span>
        </div>
        {canChange && !isEditing && (
          <MessageMenu message={message} onEdit={() => setIsEditing(true)} onFailure={setFailure} />
        )}
      </div>
      {status === 'failed' && <Failed message={message} />}
      {failure !== undefined && <ErrorNote error={failure} />}
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
