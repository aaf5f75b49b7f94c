import type { ParleyClient } from '@parley/client';
import { plural } from '../model/describe.ts';
import { CloudOffIcon } from './icons.tsx';
import { useSession } from './session-context.ts';

/** Says what the connection cannot do right now, and that nothing is lost. */
export function Banner({ onSignOut }: { readonly onSignOut: () => void }) {
  const { client } = useSession();
  // Always there, so that a screen reader notices when its text changes.
  return (
    <div class="banner-place" role="status">
      {client.state === 'offline' && (
        <p class="banner" data-testid="offline-banner">
          <CloudOffIcon />
          <span>You are offline. {waiting(queuedCount(client))}</span>
        </p>
      )}
      {client.state === 'connecting' && <p class="banner quiet late">Connecting…</p>}
      {client.state === 'closed' && (
        <p class="banner" data-testid="closed-banner">
          <span>This session has ended.</span>
          <button type="button" class="link-button" onClick={onSignOut}>
            Sign in again
          </button>
        </p>
      )}
    </div>
  );
}

function waiting(count: number): string {
  if (count === 0) return 'You can write on; messages will be sent when you are back.';
  return `${plural(count, 'message')} will be sent when you are back.`;
}

function queuedCount(client: ParleyClient): number {
  let count = 0;
  for (const { conversationId } of client.conversations)
    for (const { status } of client.messages(conversationId)) if (status === 'queued') count += 1;
  return count;
}
