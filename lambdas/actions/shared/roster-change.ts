import type { Reply } from '@parley/protocol';
import { ProtocolError } from '@parley/protocol';
import type { Membership, RosterChange } from '../../ports/directory/port.ts';
import type { Principal } from '../../runtime/keys.ts';
import type { Services } from '../../runtime/services.ts';
import { append } from './append.ts';
import type { MemberBody } from './entries.ts';

interface Asked {
  readonly conversationId: string;
  readonly clientRequestId: string;
}

/**
 * Changes the members of a group, and appends the entry that tells of it.
 * @throws {ProtocolError} FORBIDDEN for direct conversations, and all that `authorize` and `append` throw.
 */
export async function changeMembers(
  { conversationId, clientRequestId }: Asked,
  change: RosterChange,
  authorize: (membership: Membership) => Promise<void> | void,
  principal: Principal,
  services: Services,
): Promise<Reply<'member.add'>> {
  const said: MemberBody =
    change.type === 'add'
      ? { userId: change.userId, change: 'joined', role: change.role }
      : { userId: change.userId, change: 'left' };
  const { id, seq, sentAtMs } = await append(
    {
      conversationId,
      clientKey: clientRequestId,
      kind: 'member',
      body: JSON.stringify(said),
      change,
      authorize: async (membership) => {
        if (membership.head.type === 'direct') {
          throw new ProtocolError('FORBIDDEN', 'The members of a direct conversation stay the same.');
        }
        await authorize(membership);
      },
    },
    principal,
    services,
  );
  return { conversationId, id, seq, sentAtMs };
}

/** @throws {ProtocolError} FORBIDDEN */
export function requireOwner({ me }: Membership): void {
  if (me.role !== 'owner') throw new ProtocolError('FORBIDDEN', 'Only the owner may change who is a member.');
}
