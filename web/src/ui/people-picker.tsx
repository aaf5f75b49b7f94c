import { Avatar } from './avatar.tsx';
import { useSession } from './session-context.ts';

interface PeoplePickerProps {
  readonly people: readonly { readonly userId: string; readonly name: string }[];
  readonly picked: readonly string[];
  readonly isFiltered: boolean;
  readonly onToggle: (userId: string) => void;
}

export function PeoplePicker({ people, picked, isFiltered, onToggle }: PeoplePickerProps) {
  const { client } = useSession();
  if (people.length === 0) return <NobodyFound isFiltered={isFiltered} />;
  return (
    <fieldset class="people">
      <legend class="visually-hidden">People</legend>
      {people.map(({ userId, name }) => (
        <label key={userId} class="person" data-testid={`person-${userId}`}>
          <input type="checkbox" checked={picked.includes(userId)} onChange={() => onToggle(userId)} />
          <Avatar id={userId} name={name} presence={client.presence(userId).state} dotFor={userId} />
          <span class="person-names">
            <span>
              <bdi>{name}</bdi>
            </span>
            <span class="person-id">{userId}</span>
          </span>
          <span class="person-check" aria-hidden="true" />
        </label>
      ))}
    </fieldset>
  );
}

function NobodyFound({ isFiltered }: { readonly isFiltered: boolean }) {
  if (isFiltered) return <p class="people-empty">Nobody of that name. Try another spelling.</p>;
  return (
    <div class="people-empty">
      <p>Nobody else is here yet.</p>
      <p>
        <a href={location.pathname} target="_blank" rel="noopener">
          Open a second window
        </a>{' '}
        and sign in with another name, then come back.
      </p>
    </div>
  );
}
