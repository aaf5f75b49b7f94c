import type { ConversationView } from '@parley/client';
import { LIMITS } from '@parley/protocol';
import { useEffect, useState } from 'preact/hooks';
import { failureOf, type Failure } from './error-note.tsx';
import { useSession } from './session-context.ts';

type Members = NonNullable<ConversationView['members']>;

/** Who is in a group, by name: as the conversation says, or, where it is too large for that, as the server lists them. */
export function useMembers({ conversationId, members, memberCount }: ConversationView) {
  const { client, people } = useSession();
  const [listed, setListed] = useState<Members>([]);
  const [failure, setFailure] = useState<Failure>();
  const isLarge = members === undefined;

  useEffect(() => {
    if (!isLarge) return undefined;
    let isOver = false;
    const list = async (): Promise<void> => {
      const found: Members[number][] = [];
      let page: string | undefined;
      do {
        const reply = await client.request('member.list', { conversationId, ...(page !== undefined && { page }) });
        found.push(...reply.members);
        page = reply.nextPage;
      } while (page !== undefined && found.length < LIMITS.groupMembersMax);
      if (!isOver) setListed(found);
    };
    list().catch((error: unknown) => {
      if (!isOver) setFailure(failureOf(error));
    });
    return () => {
      isOver = true;
    };
  }, [client, conversationId, isLarge, memberCount]);

  const byName = [...(members ?? listed)].sort((a, b) =>
    people.nameOf(a.userId).localeCompare(people.nameOf(b.userId)),
  );
  return { members: byName, failure };
}
