import type { Operation, Seen } from '../../history/history.ts';
import { History } from '../../history/history.ts';

export const ROOM = 'g-room';

/** Times are relative to the start of the scene. */
export interface Scene {
  readonly history: History;
  /** Goes on by this long. */
  readonly wait: (ms: number) => void;
  readonly entry: (seq: number) => Seen & { readonly key: string };
}

/**
 * Ana and Ben in a room, with three messages that went as they should; Cleo belongs to the workspace and not to the room. `plant` adds what is
 * wrong after that, and before the final reads, which `reads` may change.
 */
export function scene(
  plant: (scene: Scene) => void = () => undefined,
  reads: (process: string, entries: readonly Seen[]) => readonly Seen[] = (_, entries) => entries,
): Operation[] {
  let nowMs = 1_000_000;
  const history = new History({ now: () => nowMs });
  const entry = (seq: number) => ({
    id: String(1_000 + seq),
    seq,
    kind: 'message',
    key: `key-${seq}`,
    text: `text ${seq}`,
  });
  for (const userId of ['ana', 'ben']) {
    history.record('setup', 'ok', 'member', { conversationId: ROOM, userId, fromSeq: 0 });
    history.record(`${userId}/phone`, 'ok', 'online', { online: true, syncs: true });
  }
  history.record('cleo/phone', 'ok', 'online', { online: true, syncs: true });
  for (const seq of [1, 2, 3]) {
    const { id, key, text } = entry(seq);
    history.record('ana/phone', 'invoke', 'send', { conversationId: ROOM, key, text });
    nowMs += 20;
    history.record('ana/phone', 'ok', 'send', { conversationId: ROOM, key, text, id, seq });
    history.record('ana/phone', 'ok', 'show', { conversationId: ROOM, ...entry(seq) });
    nowMs += 30;
    history.record('ben/phone', 'ok', 'show', { conversationId: ROOM, ...entry(seq) });
    const receipt = { conversationId: ROOM, userId: 'ben', deliveredSeq: seq, readSeq: seq };
    history.record('ana/phone', 'ok', 'receipt', receipt);
  }
  plant({ history, entry, wait: (ms) => (nowMs += ms) });
  nowMs += 1_000;
  const all = [1, 2, 3].map(entry);
  for (const process of ['ana/phone', 'ben/phone', 'ana/fresh', 'ben/fresh']) {
    history.record(process, 'ok', 'read', { conversationId: ROOM, entries: reads(process, all), headSeq: 3 });
  }
  return history.operations;
}
