import type { Message } from '@parley/client';
import { useLayoutEffect, useRef, useState } from 'preact/hooks';
import { ErrorNote, failureOf, type Failure } from './error-note.tsx';
import { useSession } from './session-context.ts';

interface MessageEditorProps {
  readonly message: Message;
  readonly onDone: () => void;
}

/** Another text for a message. Enter saves it, Escape leaves it as it was. */
export function MessageEditor({ message, onDone }: MessageEditorProps) {
  const { client } = useSession();
  const [text, setText] = useState(message.text);
  const [isBusy, setIsBusy] = useState(false);
  const [failure, setFailure] = useState<Failure>();
  const area = useRef<HTMLTextAreaElement>(null);

  useLayoutEffect(() => {
    area.current?.focus();
    area.current?.setSelectionRange(message.text.length, message.text.length);
  }, []);

  const save = (): void => {
    if (isBusy || text.trim() === '') return;
    if (text === message.text) {
      onDone();
      return;
    }
    setIsBusy(true);
    client.edit(message.conversationId, message.key, text).then(onDone, (error: unknown) => {
      setIsBusy(false);
      setFailure(failureOf(error));
    });
  };

  return (
    <form
      class="message-editor"
      onSubmit={(event) => {
        event.preventDefault();
        save();
      }}
    >
      <textarea
        ref={area}
        class="input"
        data-testid="message-editor"
        aria-label="Text of the message"
        rows={Math.min(8, text.split('\n').length)}
        dir="auto"
        value={text}
        onInput={(event) => setText(event.currentTarget.value)}
        onKeyDown={(event) => {
          if (event.key === 'Escape') onDone();
          // While a word is being composed (IME), Enter belongs to it.
          if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return;
          event.preventDefault();
          save();
        }}
      />
      {failure !== undefined && <ErrorNote error={failure} />}
      <div class="message-editor-line">
        <button type="button" class="link-button" onClick={onDone}>
          Cancel
        </button>
        <button type="submit" class="link-button" data-testid="save-message" disabled={isBusy || text.trim() === ''}>
          Save
        </button>
      </div>
    </form>
  );
}
