import type { ConversationView } from '@parley/client';
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';
import { plural } from '../model/describe.ts';
import { Avatar } from './avatar.tsx';
import { ErrorNote, failureOf, type Failure } from './error-note.tsx';
import { CloseIcon } from './icons.tsx';
import { PeoplePicker } from './people-picker.tsx';
import { useSession } from './session-context.ts';
import { useMembers } from './use-members.ts';

interface MembersDialogProps {
  readonly conversation: ConversationView;
  readonly onClose: () => void;
}

/** Who is in a group. Its owner adds and removes; everybody may leave. */
export function MembersDialog({ conversation, onClose }: MembersDialogProps) {
  const { client, identity, people } = useSession();
  const { conversationId, memberCount, role } = conversation;
  const dialog = useRef<HTMLDialogElement>(null);
  const [isAdding, setIsAdding] = useState(false);
  const [picked, setPicked] = useState<readonly string[]>([]);
  const [isBusy, setIsBusy] = useState(false);
  const [failure, setFailure] = useState<Failure>();
  const { members, failure: listFailure } = useMembers(conversation);
  const isOwner = role === 'owner';
  const ids = new Set(members.map(({ userId }) => userId));
  const shownFailure = failure ?? listFailure;

  useLayoutEffect(() => dialog.current?.showModal(), []);
  useEffect(() => void people.refresh().catch(() => undefined), []);

  /** `then` follows when it has worked. */
  const attempt = (work: Promise<void>, then: () => void = () => undefined): void => {
    setIsBusy(true);
    setFailure(undefined);
    work.then(then, (error: unknown) => setFailure(failureOf(error))).finally(() => setIsBusy(false));
  };
  const add = (): void =>
    attempt(client.addMembers(conversationId, picked), () => {
      setPicked([]);
      setIsAdding(false);
    });
  const toggle = (userId: string): void =>
    setPicked((before) => (before.includes(userId) ? before.filter((id) => id !== userId) : [...before, userId]));

  return (
    <dialog class="dialog" ref={dialog} aria-labelledby="members-title" data-testid="members" onClose={onClose}>
      <div class="dialog-body">
        <header class="dialog-header">
          <h2 id="members-title">{isAdding ? 'Add people' : plural(memberCount, 'member')}</h2>
          <button type="button" class="icon-button" aria-label="Close" onClick={() => dialog.current?.close()}>
            <CloseIcon />
          </button>
        </header>
        {isAdding ? (
          <PeoplePicker
            people={people.all.filter(({ userId }) => !ids.has(userId))}
            picked={picked}
            isFiltered={false}
            onToggle={toggle}
          />
        ) : (
          <ul class="people">
            {members.map((member) => (
              <li key={member.userId} class="member" data-testid={`member-${member.userId}`}>
                <Avatar
                  id={member.userId}
                  name={people.nameOf(member.userId)}
                  presence={client.presence(member.userId).state}
                  dotFor={member.userId}
                />
                <span class="person-names">
                  <span>
                    <bdi>{people.nameOf(member.userId)}</bdi>
                    {member.userId === identity.userId && ' (you)'}
                  </span>
                  <span class="person-id">{member.role === 'owner' ? 'Owner' : member.userId}</span>
                </span>
                {isOwner && member.userId !== identity.userId && (
                  <button
                    type="button"
                    class="link-button"
                    data-testid={`remove-${member.userId}`}
                    disabled={isBusy}
                    onClick={() => attempt(client.removeMember(conversationId, member.userId))}
                  >
                    Remove<span class="visually-hidden"> {people.nameOf(member.userId)}</span>
                  </button>
                )}
              </li>
            ))}
          </ul>
        )}
        {shownFailure !== undefined && <ErrorNote error={shownFailure} />}
        <footer class="dialog-footer member-footer">
          {isAdding ? (
            <>
              <button type="button" class="button" onClick={() => setIsAdding(false)}>
                Back
              </button>
              <button
                type="button"
                class="button primary"
                data-testid="add-picked"
                disabled={isBusy || picked.length === 0}
                onClick={add}
              >
                {picked.length === 0 ? 'Add' : `Add ${plural(picked.length, 'person', 'people')}`}
              </button>
            </>
          ) : (
            <>
              <button
                type="button"
                class="button"
                data-testid="leave-group"
                disabled={isBusy}
                onClick={() => attempt(client.leave(conversationId), onClose)}
              >
                Leave the group
              </button>
              {isOwner && (
                <button type="button" class="button primary" data-testid="add-people" onClick={() => setIsAdding(true)}>
                  Add people
                </button>
              )}
            </>
          )}
        </footer>
      </div>
    </dialog>
  );
}
