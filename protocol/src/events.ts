import * as v from 'valibot';
import { conversation, conversationId, entry, instantMs, presence, seq, userId } from './schema.ts';

export interface EventRow {
  /** One sentence for the reference. */
  readonly summary: string;
  readonly body: v.GenericSchema;
}

/** Every event that the server pushes. Clients ignore types that they do not know. */
export const EVENTS = {
  entry: { summary: 'An entry of a conversation. At least once: clients dedupe by id.', body: entry },
  receipt: {
    summary: 'How far another member has got and read. Cumulative: a later one replaces an earlier one.',
    body: v.object({ conversationId, userId, deliveredSeq: seq, readSeq: seq }),
  },
  typing: {
    summary: 'A member types, until expiresAtMs or an event with typing false.',
    body: v.object({ conversationId, userId, typing: v.boolean(), expiresAtMs: instantMs }),
  },
  presence: { summary: 'The presence of a watched user changed.', body: presence },
  conversation: {
    summary: 'The caller was added to a conversation or removed from it, or its settings changed.',
    body: v.variant('change', [
      v.object({ change: v.picklist(['added', 'settings']), conversation }),
      v.object({ change: v.literal('removed'), conversation: v.object({ conversationId }) }),
    ]),
  },
  session: {
    summary: 'rotate: open the next socket within afterMs. revoked: this session has ended.',
    body: v.variant('change', [
      v.object({ change: v.literal('rotate'), afterMs: instantMs }),
      v.object({ change: v.literal('revoked') }),
    ]),
  },
} as const satisfies Record<string, EventRow>;

export type EventName = keyof typeof EVENTS;
export type EventBody<E extends EventName> = v.InferOutput<(typeof EVENTS)[E]['body']>;
/** One element of an events frame. */
export type ServerEvent = { [E in EventName]: { readonly type: E; readonly body: EventBody<E> } }[EventName];
