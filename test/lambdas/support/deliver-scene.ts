import type { Entry } from '@parley/protocol';
import { createHandler as deliver } from '../../../lambdas/deliver.ts';
import type { TopicRecords } from '../../../lambdas/ports/event-stream/port.ts';
import { mskEvent } from './events.ts';
import { Stage, type Socket } from './stage.ts';

/** Two people in a group, and `deliver` in the test's hands. */
export class DeliverScene {
  private constructor(
    readonly stage: Stage,
    readonly ana: Socket,
    readonly ben: Socket,
    readonly group: string,
  ) {}

  static async open(): Promise<DeliverScene> {
    const stage = new Stage();
    const ana = await stage.connect('ana');
    const ben = await stage.connect('ben');
    const group = await stage.group(ana, ben);
    await stage.settled();
    stage.gateway.posts.length = 0;
    return new DeliverScene(stage, ana, ben, group);
  }

  /** Hands a batch to `deliver`. */
  handle(topic: string, records: readonly unknown[], services = this.stage.services): Promise<unknown> {
    return deliver(services)(mskEvent(topic, records));
  }

  entryOf(seq: number, text = 'hello'): Entry {
    const sender = { senderId: 'ana', sentAtMs: 1, clientMessageId: '00000000-0000-4000-8000-000000000000' };
    const content = { type: 'text', text } as const;
    return { conversationId: this.group, id: String(seq), seq, kind: 'message', content, ...sender };
  }

  recordOf(seq: number, text?: string, more: object = {}): TopicRecords['conversation-events'] {
    const conversation = this.ana.keyOf(this.group);
    return { v: 1, type: 'entry', conversation, entry: this.entryOf(seq, text), served: [], ...more };
  }
}

/** The numbers of the entries that a socket got, in the order of their coming. */
export function seqsAt(socket: Socket): number[] {
  return socket.events.flatMap(({ type, body }) => (type === 'entry' ? [body.seq] : []));
}
