import type { Message } from '@parley/client';
import { LIMITS } from '@parley/protocol';
import { useRef, useState } from 'preact/hooks';
import { failureOf, type Failure } from './error-note.tsx';
import { MoreIcon } from './icons.tsx';
import { useSession } from './session-context.ts';

interface MessageMenuProps {
  readonly message: Message;
  readonly onEdit: () => void;
  readonly onFailure: (failure: Failure) => void;
}

/** What may be done to a message that others have. A <details>: keys and screen readers know how to open it. */
export function MessageMenu({ message, onEdit, onFailure }: MessageMenuProps) {
  const { client } = useSession();
  const menu = useRef<HTMLDetailsElement>(null);
  const [isOpen, setIsOpen] = useState(false);
  const { conversationId, key, mine, sentAtMs } = message;
  const canEdit = mine && Date.now() - sentAtMs < LIMITS.messageEditWindowMs;

  const close = (): void => {
    if (menu.current !== null) menu.current.open = false;
  };
  const remove = (): void => {
    close();
    client.remove(conversationId, key).catch((error: unknown) => onFailure(failureOf(error)));
  };

  return (
    <details
      class="message-menu"
      data-testid="message-menu"
      ref={menu}
      onToggle={() => setIsOpen(menu.current?.open === true)}
      onFocusOut={(event) => {
        if (!(event.relatedTarget instanceof Node && menu.current?.contains(event.relatedTarget))) close();
      }}
      onKeyDown={(event) => {
        if (event.key !== 'Escape' || !isOpen) return;
        close();
        menu.current?.querySelector('summary')?.focus();
      }}
    >
      <summary aria-label="Edit or delete this message" title="Edit or delete">
        <MoreIcon />
      </summary>
      {isOpen && (
        <div class="message-actions">
          {canEdit && (
            <button type="button" class="link-button" data-testid="edit-message" onClick={onEdit}>
              Edit
            </button>
          )}
          <button type="button" class="link-button" data-testid="delete-message" onClick={remove}>
            Delete for everybody
          </button>
        </div>
      )}
    </details>
  );
}
