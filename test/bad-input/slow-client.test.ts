import { connect, type Socket } from 'node:net';
import { once } from 'node:events';
import type { ServerEvent } from '@parley/protocol';
import { watchCrashes } from './support/crashes.ts';
import { until } from './support/until.ts';
import { offering } from './support/upgrade.ts';
import { withTake } from './support/with-take.ts';
import type { Wire } from './support/wire.ts';
import { message, World } from './support/world.ts';

/** Small, so that the buffers of this machine are full soon. */
const BUFFERED_MAX_BYTES = 64 * 1024;
const TEXT = 'x'.repeat(15 * 1024);
const MESSAGES_MAX = 2_000;

jest.setTimeout(60_000);

/** A client that opens its socket and then never reads a byte of it. */
async function openUnread(world: World, token: string): Promise<Socket> {
  const socket = connect(world.app.port, '127.0.0.1');
  socket.on('error', () => undefined);
  socket.write(
    [
      'GET /local HTTP/1.1',
      `Host: 127.0.0.1:${world.app.port}`,
      'Connection: Upgrade',
      'Upgrade: websocket',
      'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
      'Sec-WebSocket-Version: 13',
      `Sec-WebSocket-Protocol: ${offering(token)}`,
      '\r\n',
    ].join('\r\n'),
  );
  const [answer] = (await once(socket, 'data')) as [Buffer];
  expect(answer.toString('latin1')).toMatch(/^HTTP\/1\.1 101 /);
  socket.pause();
  return socket;
}

const idsAt = ({ events }: Wire): string[] =>
  events.flatMap((event: ServerEvent) => (event.type === 'entry' ? [event.body.id] : []));

it('drops a client that does not read, and nobody else gets anything later or less for it', async () => {
  const { crashes, stop } = watchCrashes();
  const world = await World.start({
    ...withTake(() => Promise.resolve({ allowed: true, retryAfterMs: 0 })),
    gateway: { bufferedMaxBytes: BUFFERED_MAX_BYTES, closeTimeoutMs: 500 },
  });
  const [ana, ben] = [await world.connect(), await world.connect()];
  const slow = world.newUser();
  const socket = await openUnread(world, await world.token(slow));
  try {
    const memberIds = [ben.user.userId, slow.userId];
    const group = { clientRequestId: 'slow', type: 'group' as const, memberIds };
    const { conversationId } = (await ana.call('conversation.create', group)).conversation;
    const sent: string[] = [];
    const laterMs: number[] = [];
    // Until the slow one is dropped; `direct` waits for it for a moment at most.
    while ((await world.connectionIds(slow)).length > 0 && sent.length < MESSAGES_MAX) {
      const startedAt = performance.now();
      const { id } = await ana.call('message.send', message(conversationId, TEXT));
      await until(() => ben.raw.some((frame) => frame.includes(id)), 'the other member has it');
      laterMs.push(performance.now() - startedAt);
      sent.push(id);
      ben.raw.length = 0;
    }
    expect(sent.length).toBeLessThan(MESSAGES_MAX);
    const closed = world.portCalls.filter(({ port, method }) => port === 'gateway' && method === 'close');
    expect(closed).toHaveLength(1);
    expect(idsAt(ben)).toEqual(sent);
    // Healthy, and beside a client that is slow, an entry is there within two seconds.
    expect(Math.max(...laterMs)).toBeLessThan(2_000);
    await once(socket.resume(), 'close');
    expect(crashes).toEqual([]);
  } finally {
    stop();
    socket.destroy();
    await world.close();
  }
});
