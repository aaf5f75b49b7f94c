import { ACTION_FUNCTIONS, LIMITS } from '@parley/protocol';
import { expectRefused, expectState, refuses, type Case, type Given, type Table } from '../support/refusals.ts';
import { frameOf, type Wire } from '../support/wire.ts';
import { sending } from '../support/world.ts';

const CANARY = 'canary-5fd1c3';

/** A case that makes a bad frame of a good `message.send`; nothing of it may get into the log. */
const withFrame =
  (run: (given: Given, wire: Wire, frame: string, conversationId: string) => Promise<void>): Case =>
  async (given) => {
    const { owner, other, conversationId } = await given.world.scene();
    await run(given, owner, sending(conversationId, `hello ${CANARY}`), conversationId);
    const { entries } = await other.call('log.page', { conversationId });
    expect(entries).toHaveLength(1);
  };

/** JSON of arrays in arrays. */
const nested = (depth: number): string => '['.repeat(depth) + ']'.repeat(depth);

/** A frame with this nesting, itself counted as 1 and its body as 2. */
const withDepth = (depth: number): string =>
  frameOf('heartbeat', { zzz: 0 }).replace('"zzz":0', `"zzz":${nested(depth - 2)}`);

/** The gateway closes, no function is called for the message, and the next socket is as good as the first. */
const closes =
  (code: number, dataOf: (frame: string) => Buffer): Case =>
  (given) =>
    withFrame(async ({ world, row }, wire, frame) => {
      expect(row.expected_code).toContain(`close ${code}`);
      const before = world.runs(...ACTION_FUNCTIONS);
      wire.socket.send(dataOf(frame), { binary: false });
      expect(await wire.closed()).toBe(code);
      expect(world.runs(...ACTION_FUNCTIONS)).toBe(before);
      await expectState({ world, row }, wire);
    })(given);

interface MessageEvent {
  readonly requestContext: object;
  readonly body: string;
}

/** The event of the latest message that the gateway handed to `send`. */
function sendEvent({ world }: Given): MessageEvent {
  const call = world.functionCalls.findLast(({ functionName }) => functionName === 'send');
  return call?.event as MessageEvent;
}

/** What a function answers to an event, without the gateway. */
async function replyOf({ world }: Given, functionName: string, event: MessageEvent): Promise<unknown> {
  const { body } = (await world.invoke(functionName, event)) as { body: string };
  return JSON.parse(body);
}

const twice = (first: string, second: string): string =>
  `{"action":"${first}","id":"twice","body":{},"action":"${second}"}`;

export const FRAMING: Table = {
  'frame-empty': { 'is no JSON': refuses('INVALID_JSON', '') },
  'frame-plain-text': { 'is no JSON': refuses('INVALID_JSON', 'hello', { text: CANARY, secrets: [CANARY] }) },
  'frame-truncated-json': {
    'is no JSON': refuses('INVALID_JSON', '{"action":"message.send"', {
      text: `{"action":"message.send","id":"1","body":{"conversationId":"${CANARY}`,
      secrets: [CANARY],
    }),
  },
  'frame-raw-control-char': {
    'is no JSON': withFrame(async (given, wire, frame) => {
      await expectRefused(given, wire, 'INVALID_JSON', { text: frame.replace('hello', 'hel\nlo'), secrets: [CANARY] });
    }),
  },
  'frame-not-an-object': {
    'is no request': refuses('INVALID_FRAME', 'null', 'true', '1', '"x"', '[]', {
      text: `["${CANARY}"]`,
      secrets: [CANARY],
    }),
  },
  'frame-depth-17': {
    'one level too many': refuses('INVALID_FRAME', withDepth(LIMITS.depthMax + 1)),
    'the deepest that is allowed passes': async ({ world }) => {
      const wire = await world.connect();
      expect((await wire.ask(withDepth(LIMITS.depthMax))).frame).toMatchObject({ ok: true });
    },
  },
  'frame-depth-60000': {
    'as the whole message': refuses('INVALID_FRAME', { text: nested(60_000), label: 'arrays' }),
    'inside of a body': refuses('INVALID_FRAME', { text: withDepth(60_000), label: 'arrays in a body' }),
  },
  'frame-huge-key': {
    'is neither echoed nor logged': withFrame(async (given, wire, frame) => {
      const text = frame.replace('{"conversationId"', `{"${'k'.repeat(102_400)}":1,"conversationId"`);
      expect(text.length).toBeGreaterThan(102_400);
      const secrets = ['k'.repeat(32), CANARY];
      await expectRefused(given, wire, 'INVALID_FRAME', { text, secrets, label: 'a huge key' });
    }),
  },
  'frame-duplicate-action-key': {
    'two actions': refuses(
      'INVALID_FRAME',
      twice('message.send', 'heartbeat'),
      twice('heartbeat', 'message.send'),
      twice('message.send', 'admin'),
      twice('admin', 'message.send'),
    ),
    'two spellings of one key': refuses('INVALID_FRAME', '{"action":"heartbeat","id":"1","\\u0061ction":"heartbeat"}'),
    'two texts': withFrame(async (given, wire, frame) => {
      const text = frame.replace('"text":', '"text":"first","text":');
      await expectRefused(given, wire, 'INVALID_FRAME', { text, secrets: [CANARY] });
    }),
    'no function carries out what the gateway did not route to it': async (given) => {
      const { owner, conversationId } = await given.world.scene();
      const routed = sendEvent(given);
      const other = { ...routed, body: frameOf('heartbeat', {}) };
      const byDefault = { ...other, requestContext: { ...routed.requestContext, routeKey: '$default' } };
      const doubled = sending(conversationId, CANARY).replace('"id"', '"action":"heartbeat","id"');
      for (const [functionName, event] of [
        ['send', { ...routed, body: doubled }],
        ['send', other],
        ['heartbeat', byDefault],
        ['heartbeat', routed],
      ] as const) {
        expect(await replyOf(given, functionName, event)).toMatchObject({
          ok: false,
          error: { code: 'INVALID_FRAME' },
        });
      }
      await expectState(given, owner);
    },
  },
  'frame-over-32k': {
    'closes the socket': closes(1009, (frame) => Buffer.from(frame.padEnd(LIMITS.frameMaxBytes + 1))),
    'and one byte less does not': async ({ world }) => {
      const { owner, conversationId } = await world.scene();
      const frame = sending(conversationId).padEnd(LIMITS.frameMaxBytes);
      expect((await owner.ask(frame)).frame).toMatchObject({ ok: true });
    },
  },
  'frame-over-product-limit': {
    'a text of one byte too many': withFrame(async (given, wire, _, conversationId) => {
      const text = sending(conversationId, CANARY + 'x'.repeat(LIMITS.textMaxBytes - CANARY.length + 1));
      await expectRefused(given, wire, 'PAYLOAD_TOO_LARGE', { text, secrets: [CANARY], label: 'a long text' });
    }),
    'a text that takes several frames': withFrame(async (given, wire, _, conversationId) => {
      const text = sending(conversationId, CANARY + 'x'.repeat(100 * 1024));
      await expectRefused(given, wire, 'PAYLOAD_TOO_LARGE', { text, secrets: [CANARY], label: 'a longer text' });
    }),
    'a message that no gateway would have let through': async (given) => {
      const { owner, conversationId } = await given.world.scene();
      const event = { ...sendEvent(given), body: sending(conversationId, CANARY).padEnd(1024 * 1024) };
      const error = { code: 'PAYLOAD_TOO_LARGE' };
      expect(await replyOf(given, 'send', event)).toMatchObject({ id: null, ok: false, error });
      await expectState(given, owner);
    },
  },
  'frame-invalid-utf8': {
    'closes the socket': closes(1007, (frame) => {
      const at = frame.indexOf('hello');
      return Buffer.concat([Buffer.from(frame.slice(0, at)), Buffer.from([0xc3, 0x28]), Buffer.from(frame.slice(at))]);
    }),
  },
  'frame-utf16': {
    'is no JSON': withFrame(async (given, wire, frame) => {
      await expectRefused(given, wire, 'INVALID_JSON', { text: Buffer.from(frame, 'utf16le'), label: 'little-endian' });
      const bigEndian = Buffer.from(frame, 'utf16le').swap16();
      await expectRefused(given, wire, 'INVALID_JSON', { text: bigEndian, label: 'big-endian' });
    }),
  },
};
