import { LIMITS } from '@parley/protocol';
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';
import { ErrorNote, failureOf, type Failure } from './error-note.tsx';
import { CloseIcon, SearchIcon } from './icons.tsx';
import { PeoplePicker } from './people-picker.tsx';
import { useSession } from './session-context.ts';

interface NewChatDialogProps {
  readonly onOpen: (conversationId: string) => void;
  readonly onClose: () => void;
}

/** Picks people: one for a direct chat, several for a group. A modal <dialog>: the browser keeps the focus inside and gives it back. */
export function NewChatDialog({ onOpen, onClose }: NewChatDialogProps) {
  const { client, identity, people } = useSession();
  const dialog = useRef<HTMLDialogElement>(null);
  const [filter, setFilter] = useState('');
  const [picked, setPicked] = useState<readonly string[]>([]);
  const [title, setTitle] = useState('');
  const [isBusy, setIsBusy] = useState(false);
  const [failure, setFailure] = useState<Failure>();

  // Before the next key: it may be Escape already.
  useLayoutEffect(() => dialog.current?.showModal(), []);
  useEffect(() => {
    const refresh = (): void => void people.refresh().catch((error: unknown) => setFailure(failureOf(error)));
    refresh();
    // Whoever comes back may just have signed somebody in, in another window.
    addEventListener('focus', refresh);
    return () => removeEventListener('focus', refresh);
  }, []);

  const others = people.all.filter(({ userId }) => userId !== identity.userId);
  const wanted = filter.trim().toLocaleLowerCase();
  const found = others.filter(({ userId, name }) => `${name.toLocaleLowerCase()} ${userId}`.includes(wanted));
  const names = picked.map((userId) => people.nameOf(userId));
  const isGroup = picked.length > 1;

  const toggle = (userId: string): void =>
    setPicked((before) => (before.includes(userId) ? before.filter((id) => id !== userId) : [...before, userId]));

  const start = (): void => {
    const [first] = picked;
    if (isBusy) return;
    if (first === undefined) {
      setFailure({ message: 'Nobody is picked.', remediation: 'Pick one person, or several for a group.' });
      return;
    }
    setIsBusy(true);
    setFailure(undefined);
    const group = {
      title: title.trim() === '' ? defaultTitle([identity.name, ...names]) : title.trim(),
      memberIds: picked,
    };
    const made = isGroup ? client.createGroup(group) : client.createDirect(first);
    made.then(
      ({ conversationId }) => {
        dialog.current?.close();
        onOpen(conversationId);
      },
      (error: unknown) => {
        setIsBusy(false);
        setFailure(failureOf(error));
      },
    );
  };

  const submit = (event: Event): void => {
    event.preventDefault();
    const [only, another] = found;
    // Type a name, Enter, Enter: the first picks the only one found.
    if (wanted !== '' && only !== undefined && another === undefined && !picked.includes(only.userId)) {
      toggle(only.userId);
      setFilter('');
    } else start();
  };

  return (
    <dialog class="dialog" ref={dialog} aria-labelledby="new-chat-title" onClose={onClose} onClick={closeOnBackdrop}>
      <form class="dialog-body" onSubmit={submit}>
        <header class="dialog-header">
          <h2 id="new-chat-title">New chat</h2>
          <button type="button" class="icon-button" aria-label="Close" onClick={() => dialog.current?.close()}>
            <CloseIcon />
          </button>
        </header>
        <label class="search">
          <SearchIcon />
          <span class="visually-hidden">Find people by name</span>
          <input
            type="search"
            placeholder="Find people"
            autofocus
            autocomplete="off"
            dir="auto"
            value={filter}
            onInput={(event) => setFilter(event.currentTarget.value)}
          />
        </label>
        <PeoplePicker people={found} picked={picked} isFiltered={wanted !== ''} onToggle={toggle} />
        {failure !== undefined && <ErrorNote error={failure} />}
        <footer class="dialog-footer">
          {isGroup && (
            <label class="field">
              <span class="field-label">Name of the group</span>
              <input
                class="input"
                data-testid="group-title"
                value={title}
                placeholder={defaultTitle([identity.name, ...names])}
                maxLength={LIMITS.titleMaxChars}
                autocomplete="off"
                dir="auto"
                onInput={(event) => setTitle(event.currentTarget.value)}
              />
            </label>
          )}
          {picked.length === 0 && <p class="hint">Pick one person for a direct chat, or several for a group.</p>}
          <button
            type="submit"
            class="button primary wide"
            data-testid={isGroup ? 'create-group' : 'start-direct'}
            aria-disabled={picked.length === 0}
            disabled={isBusy}
          >
            {isGroup
              ? `Create a group of ${String(picked.length + 1)}`
              : `Chat${names[0] === undefined ? '' : ` with ${names[0]}`}`}
          </button>
        </footer>
      </form>
    </dialog>
  );
}

function defaultTitle(names: readonly string[]): string {
  return names.join(', ').slice(0, LIMITS.titleMaxChars);
}

/** A click on the dialog itself is one beside its content. */
function closeOnBackdrop(event: MouseEvent): void {
  if (event.target === event.currentTarget) (event.currentTarget as HTMLDialogElement).close();
}
