import { once } from 'node:events';
import { createRequire } from 'node:module';
import { WebSocket } from 'ws';
import { frameLimiter, type FrameReceiver } from '../../local/gateway/frame-limit.ts';
import { Harness, until, type Client, type HarnessOptions } from './harness.ts';

const KB = 1_024;
let harness: Harness;
let client: Client;
afterEach(() => harness.close());

/** A gateway whose function answers with the length of the message, and a client. */
async function open(options: HarnessOptions = {}): Promise<void> {
  harness = await Harness.start({
    functions: { size: (event) => ({ statusCode: 200, body: String(Buffer.byteLength(event.body)) }) },
    routes: { $default: '<>size', $disconnect: 'bye' },
    ...options,
  });
  client = await harness.connect();
}

async function disconnected(): Promise<unknown[]> {
  await until(() => harness.eventsOf('bye').length === 1);
  const { disconnectStatusCode, disconnectReason } = harness.event('bye').requestContext;
  return [disconnectStatusCode, disconnectReason];
}

const text = (bytes: number): string => 'x'.repeat(bytes);

describe('sizes', () => {
  it.each<[string, string[]]>([
    ['a frame of 32,768 bytes', [text(32_768)]],
    ['four fragments of 25 KB', [1, 2, 3, 4].map(() => text(25 * KB))],
    ['four fragments of 32 KB, 128 KB in all', [1, 2, 3, 4].map(() => text(32 * KB))],
    ['a message with empty fragments', ['', text(10), '']],
    ['32,768 bytes of characters that take three', ['€'.repeat(10_922) + 'xx']],
  ])('%s passes', async (_, parts) => {
    await open();
    client.sendFragments(parts);
    expect(await client.got(1)).toEqual([String(Buffer.byteLength(parts.join('')))]);
  });

  it.each<[string, string[]]>([
    ['a frame of 32,769 bytes', [text(32_769)]],
    ['a second fragment of 32,769 bytes', [text(1), text(32_769)]],
    ['32,769 bytes in fewer characters', ['€'.repeat(10_923)]],
    ['five fragments of 32 KB', [1, 2, 3, 4, 5].map(() => text(32 * KB))],
    ['128 KB and one byte', [...[1, 2, 3, 4].map(() => text(32 * KB)), 'x']],
  ])('%s closes with 1009, and no function is called', async (_, parts) => {
    await open();
    client.sendFragments(parts);
    expect((await client.closed).code).toBe(1009);
    expect(await disconnected()).toEqual([1009, '']);
    expect(harness.eventsOf('size')).toEqual([]);
  });

  it('closes as soon as the length of a frame is known, before its payload', async () => {
    await open();
    const raw = harness.rawUpgrade();
    await once(raw, 'data');
    raw.write(Buffer.from([0x81, 0xfe, 0x80, 0x01, 0, 0, 0, 0]));
    const [frame] = (await once(raw, 'data')) as [Buffer];
    expect([frame[0], frame.readUInt16BE(2)]).toEqual([0x88, 1009]);
    raw.destroy();
  });
});

describe('frames that are not text', () => {
  it.each([[[Buffer.from('{"action":"x"}')]], [[Buffer.from('a'), Buffer.from('b')]], [[Buffer.alloc(0)]]])(
    'a binary message closes with 1003, and no function is called',
    async (parts) => {
      await open();
      parts.forEach((part, i) => client.socket.send(part, { fin: i === parts.length - 1 }));
      expect((await client.closed).code).toBe(1003);
      expect(await disconnected()).toEqual([1003, '']);
      expect(harness.eventsOf('size')).toEqual([]);
    },
  );

  it('text that is not UTF-8 closes with 1007, and no function is called', async () => {
    await open();
    client.socket.send(Buffer.from('7b2261223a22c328227d', 'hex'), { binary: false });
    expect((await client.closed).code).toBe(1007);
    expect(await disconnected()).toEqual([1007, '']);
    expect(harness.eventsOf('size')).toEqual([]);
  });

  it.each([
    ['an unmasked frame', [0x81, 0x01, 0x78]],
    ['a reserved bit', [0xc1, 0x81, 0, 0, 0, 0, 0x78]],
    ['an unknown opcode', [0x83, 0x81, 0, 0, 0, 0, 0x78]],
    ['a continuation of nothing', [0x80, 0x81, 0, 0, 0, 0, 0x78]],
  ])('%s closes with 1002', async (_, bytes) => {
    await open();
    const raw = harness.rawUpgrade();
    await once(raw, 'data');
    raw.write(Buffer.from(bytes));
    const [frame] = (await once(raw, 'data')) as [Buffer];
    expect([frame[0], frame.readUInt16BE(2)]).toEqual([0x88, 1002]);
    raw.destroy();
    expect(await disconnected()).toEqual([1002, '']);
  });

  it('a ping is answered and reaches no function', async () => {
    await open();
    client.socket.ping('are you there');
    const [data] = (await once(client.socket, 'pong')) as [Buffer];
    expect(data.toString()).toBe('are you there');
    expect(harness.calls).toEqual([]);
  });
});

it('handles nothing of what a client sends after the gateway has closed', async () => {
  await open();
  client.socket.send(Buffer.from('binary'));
  client.send('after');
  await client.closed;
  await disconnected();
  expect(harness.eventsOf('size')).toEqual([]);
});

describe('the hook into ws', () => {
  it('was checked with this version; run all of this file before changing the number', () => {
    const { version } = createRequire(__filename)('ws/package.json') as { version: string };
    expect(version).toBe('8.23.0');
  });

  it('replaces a method that ws has, and leaves other sockets alone', async () => {
    await open();
    const { _receiver: receiver } = client.socket as unknown as { _receiver: FrameReceiver };
    const prototype = Object.getPrototypeOf(receiver) as FrameReceiver;
    expect(typeof prototype.haveLength).toBe('function');
    expect(typeof prototype.createError).toBe('function');
    expect([typeof receiver._payloadLength, typeof receiver._opcode]).toEqual(['number', 'number']);
    expect(receiver.haveLength).toBe(prototype.haveLength);
    frameLimiter(1)(client.socket);
    expect(receiver.haveLength).not.toBe(prototype.haveLength);
    expect(client.socket.readyState).toBe(WebSocket.OPEN);
  });
});
