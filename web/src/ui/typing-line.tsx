import { typingLine } from '../model/describe.ts';
import { useSession } from './session-context.ts';

/** The dots of those who are typing. The place is kept while nobody does, so that nothing jumps. */
export function TypingLine({ userIds }: { readonly userIds: readonly string[] }) {
  const { people } = useSession();
  const line = typingLine(userIds, (userId) => people.nameOf(userId));
  return (
    <div class="typing-line" aria-live="off">
      {line !== '' && (
        <span class="typing" data-testid="typing">
          <span class="typing-dots" aria-hidden="true">
            <i />
            <i />
            <i />
          </span>
          <span>{line}</span>
        </span>
      )}
    </div>
  );
}
