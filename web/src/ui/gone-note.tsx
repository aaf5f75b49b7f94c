import type { ConversationView, Message } from '@parley/client';
import { useState } from 'preact/hooks';
import { plural } from '../model/describe.ts';
import { readDraft } from '../model/tab.ts';
import { failureOf } from './error-note.tsx';
import { AlertIcon } from './icons.tsx';
import { useSession } from './session-context.ts';

interface GoneNoteProps {
  readonly conversation: ConversationView;
  /** Own messages that the server did not take. */
  readonly unsent: readonly Message[];
}

/** Says that the chat is gone and what was not sent in it, and lets the words be saved before they are given up. */
export function GoneNote({ conversation: { conversationId, type }, unsent }: GoneNoteProps) {
  const { client } = useSession();
  const [outcome, setOutcome] = useState('');

  const copy = async (): Promise<void> => {
    const texts = [...unsent.map(({ text }) => text), readDraft(conversationId)].filter((text) => text !== '');
    try {
      await navigator.clipboard.writeText(texts.join('\n\n'));
      setOutcome('Copied.');
    } catch {
      setOutcome('The browser did not allow that. Select the messages and copy them.');
    }
  };

  const discard = async (): Promise<void> => {
    try {
      for (const { key } of unsent) await client.discard(key);
    } catch (error) {
      setOutcome(failureOf(error).message);
    }
  };

  return (
    <div class="gone-note" data-testid="gone-note" role="alert">
      <AlertIcon />
      <p>
        This chat no longer exists on the server{type === 'direct' ? '' : ', or you are no longer in it'}.{' '}
        {plural(unsent.length, 'message was', 'messages were')} not sent. {outcome}
      </p>
      <button type="button" class="link-button" onClick={() => void copy()}>
        Copy text
      </button>
      <button type="button" class="link-button" onClick={() => void discard()}>
        Discard
      </button>
    </div>
  );
}
