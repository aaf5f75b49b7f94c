import type { MessageStatus } from '@parley/client';
import { STATUS_WORDS } from '../model/describe.ts';
import { AlertIcon, ClockIcon, OneTickIcon, TwoTicksIcon } from './icons.tsx';

const PICTURES = {
  queued: ClockIcon,
  sent: OneTickIcon,
  delivered: TwoTicksIcon,
  read: TwoTicksIcon,
  failed: AlertIcon,
} as const;

interface TickProps {
  readonly status: Exclude<MessageStatus, 'received'>;
  /** In the list of conversations it carries no test hook. */
  readonly isInList?: boolean;
}

/** How far an own message got: a clock, one tick, two, two blue ones, or a warning; in words for those who do not see it. */
export function Tick({ status, isInList = false }: TickProps) {
  const Picture = PICTURES[status];
  return (
    <span class="tick" data-testid={isInList ? undefined : 'tick'} data-status={status} title={STATUS_WORDS[status]}>
      <Picture />
      <span class="visually-hidden">{STATUS_WORDS[status]}</span>
    </span>
  );
}
