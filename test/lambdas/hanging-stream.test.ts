import { KafkaEventStream } from '../../lambdas/ports/event-stream/kafka.ts';
import { Unavailable } from '../../lambdas/ports/unavailable.ts';
import { conversationKey, userKey } from '../../lambdas/runtime/keys.ts';
import { HangingServer } from './support/hanging-server.ts';

const user = userKey({ workspaceId: 'w' }, 'ana');
const conversation = conversationKey({ workspaceId: 'w' }, 'g_1');
const event = { type: 'receipt', body: { conversationId: 'g_1', userId: 'ana', deliveredSeq: 1, readSeq: 1 } } as const;

it('a stream that hangs is waited for once, and not again for a while, whatever is published', async () => {
  const server = new HangingServer();
  let clockMs = 1_700_000_000_000;
  const brokers = [`127.0.0.1:${await server.listen()}`];
  const stream = new KafkaEventStream({ brokers, timeoutMs: 200, now: () => clockMs });
  const publish = () =>
    stream.publish('conversation-events', conversation, { v: 1, type: 'receipt', conversation, event });
  await stream.load();
  try {
    const first = publish();
    await expect(first).rejects.toThrow(Unavailable);
    await expect(first).rejects.toThrow('no answer within');
    for (let i = 0; i < 100; i++) await expect(publish()).rejects.toThrow('did not answer just now');
    const signal = { v: 1, type: 'close', user, connectionId: 'c' } as const;
    await expect(stream.publish('signals', user, signal)).rejects.toThrow('did not answer just now');
    clockMs += 2_000;
    await expect(publish()).rejects.not.toThrow('did not answer just now');
  } finally {
    await server.close();
    await stream.close();
  }
});
