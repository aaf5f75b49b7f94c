import { hash, initialsOf } from '../model/identity.ts';
import { PeopleIcon } from './icons.tsx';

const HUES = 8;

/** The class of a user's or a group's own colour; the same wherever it is shown. */
export function hueClass(id: string): string {
  return `hue-${String(hash(id) % HUES)}`;
}

interface AvatarProps {
  readonly id: string;
  readonly name: string;
  readonly isGroup?: boolean;
  /** Adds the dot: `online` fills it. Leave it out where presence is not meant. */
  readonly presence?: 'online' | 'offline' | 'unknown';
  /** The dot's test hook. Only one place on the page carries it for each user. */
  readonly dotFor?: string;
}

/** Decoration beside a name, but for the dot, which says "online". */
export function Avatar({ id, name, isGroup = false, presence, dotFor }: AvatarProps) {
  return (
    <span class={`avatar ${hueClass(id)}`}>
      <span class="avatar-letters" aria-hidden="true">
        {isGroup ? <PeopleIcon /> : initialsOf(name)}
      </span>
      {presence === 'online' && (
        <span class="online-dot" data-testid={dotFor === undefined ? undefined : `online-dot-${dotFor}`}>
          <span class="visually-hidden">online</span>
        </span>
      )}
    </span>
  );
}
