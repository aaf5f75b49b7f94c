import type { ServerEvent } from '@parley/protocol';
import type { Gateway, PostResult } from '../../../lambdas/ports/gateway/port.ts';

/** Sockets that take everything, or what the test says, and remember it. */
export class RecordingGateway implements Gateway {
  readonly posts: { readonly connectionId: string; readonly message: string }[] = [];
  readonly closed: string[] = [];
  /** What a post answers; a thrown `Unavailable` is passed on. */
  answer: (connectionId: string, message: string) => PostResult = () => 'sent';

  // eslint-disable-next-line @typescript-eslint/require-await -- what `answer` throws must become a rejection
  async post(connectionId: string, message: string): Promise<PostResult> {
    const result = this.answer(connectionId, message);
    if (result === 'sent') this.posts.push({ connectionId, message });
    return result;
  }

  close(connectionId: string): Promise<void> {
    this.closed.push(connectionId);
    return Promise.resolve();
  }

  framesOf(connectionId: string): string[] {
    return this.posts.filter((post) => post.connectionId === connectionId).map((post) => post.message);
  }

  eventsOf(connectionId: string): ServerEvent[] {
    return this.framesOf(connectionId).flatMap((frame) => (JSON.parse(frame) as { events: ServerEvent[] }).events);
  }
}
