import { LIMITS } from '@parley/protocol';
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';
import { readDraft, writeDraft } from '../model/tab.ts';
import { byteLength } from '../model/text.ts';
import { ErrorNote, failureOf, type Failure } from './error-note.tsx';
import { SendIcon } from './icons.tsx';
import { useSession } from './session-context.ts';

interface ComposerProps {
  readonly conversationId: string;
  readonly title: string;
  /** Nothing more can be said here. */
  readonly isOver: boolean;
}

/** Where a message is written. The draft stays with its conversation. Mount it anew for another conversation (key). */
export function Composer({ conversationId, title, isOver }: ComposerProps) {
  const { client } = useSession();
  const [text, setText] = useState(() => readDraft(conversationId));
  const [failure, setFailure] = useState<Failure>();
  const area = useRef<HTMLTextAreaElement>(null);
  const isBlank = text.trim() === '';
  const tooLongBytes = excessBytes(text);
  const canSend = !isOver && !isBlank && tooLongBytes <= 0;

  const change = (next: string): void => {
    setText(next);
    writeDraft(conversationId, next);
    client.setTyping(conversationId, next.trim() !== '');
  };

  const send = (): void => {
    if (!canSend) return;
    setFailure(undefined);
    change('');
    client.send(conversationId, { text }).catch((error: unknown) => {
      // It was not even queued: give the words back, before whatever was typed since.
      setText((since) => text + since);
      setFailure(failureOf(error));
    });
    area.current?.focus();
  };

  useLayoutEffect(() => grow(area.current), [text]);
  useEffect(() => {
    // A finger that opens a conversation wants to read; a keyboard on the screen would cover it.
    if (!isTouch()) area.current?.focus({ preventScroll: true });
    return () => client.setTyping(conversationId, false);
  }, []);

  return (
    <form
      class="composer"
      onSubmit={(event) => {
        event.preventDefault();
        send();
      }}
    >
      {failure !== undefined && <ErrorNote error={failure} />}
      {tooLongBytes > 0 && (
        <ErrorNote
          id="too-long"
          error={{
            message: `This is ${tooLongBytes.toLocaleString()} bytes longer than a message can be.`,
            remediation: 'Send it in two parts.',
          }}
        />
      )}
      <div class="composer-line">
        <textarea
          ref={area}
          data-testid="composer"
          rows={1}
          dir="auto"
          placeholder={isOver ? 'You cannot write here any more' : 'Write a message'}
          disabled={isOver}
          aria-label={`Message to ${title}`}
          aria-describedby={tooLongBytes > 0 ? 'too-long' : undefined}
          enterkeyhint={isTouch() ? 'enter' : 'send'}
          value={text}
          onInput={(event) => change(event.currentTarget.value)}
          onBlur={() => client.setTyping(conversationId, false)}
          onKeyDown={(event) => {
            // While a word is being composed (IME), Enter belongs to it.
            if (event.key !== 'Enter' || event.shiftKey || event.isComposing || isTouch()) return;
            event.preventDefault();
            send();
          }}
        />
        <button type="submit" class="send" data-testid="send" aria-label="Send" title="Send" disabled={!canSend}>
          <SendIcon />
        </button>
      </div>
    </form>
  );
}

/** UTF-8 has at most 3 bytes for a UTF-16 unit, so short texts need not be counted. */
function excessBytes(text: string): number {
  if (text.length * 3 <= LIMITS.textMaxBytes) return 0;
  return byteLength(text) - LIMITS.textMaxBytes;
}

function isTouch(): boolean {
  return matchMedia('(hover: none) and (pointer: coarse)').matches;
}

/** As high as its text; the style sheet sets the limit. */
function grow(area: HTMLTextAreaElement | null): void {
  if (area === null) return;
  area.style.height = 'auto';
  area.style.height = `${String(area.scrollHeight)}px`;
}
