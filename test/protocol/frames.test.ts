import {
  ACTION_NAMES,
  FrameError,
  LIMITS,
  parseFrame,
  ProtocolError,
  utf8Bytes,
  type ErrorCode,
} from '@parley/protocol';

const SECRET = 'hunter2-secret-value';

/** The refusal of a text. */
function refusal(text: string): FrameError {
  try {
    parseFrame(text);
  } catch (error) {
    if (error instanceof FrameError) return error;
    throw error;
  }
  throw new Error('The frame was accepted.');
}

const codeOf = (text: string): ErrorCode => refusal(text).code;
const padded = (bytes: number): string => {
  const frame = '{"action":"heartbeat","id":"1","body":{"pad":""}}';
  return frame.replace('""', `"${'x'.repeat(bytes - frame.length)}"`);
};

describe('a request', () => {
  it.each(ACTION_NAMES)('may name %s', (action) => {
    expect(parseFrame(JSON.stringify({ action, id: '17', body: { a: 1 } }))).toEqual({
      action,
      id: '17',
      body: { a: 1 },
      prototypeKey: false,
    });
  });

  it('may leave out its id and its body', () => {
    expect(parseFrame('{"action":"heartbeat"}')).toEqual({
      action: 'heartbeat',
      id: null,
      body: {},
      prototypeKey: false,
    });
  });

  it('may carry fields that nobody knows', () => {
    expect(parseFrame('{"action":"heartbeat","zzz":1}')).not.toHaveProperty('zzz');
  });

  it('tells of a prototype key, so that it can be refused after the earlier checks', () => {
    expect(parseFrame('{"action":"heartbeat","body":{"__proto__":{"polluted":true}}}').prototypeKey).toBe(true);
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
  });

  it('may be as large as a message, and not a byte larger', () => {
    expect(parseFrame(padded(LIMITS.messageMaxBytes)).action).toBe('heartbeat');
    expect(codeOf(padded(LIMITS.messageMaxBytes + 1))).toBe('PAYLOAD_TOO_LARGE');
  });

  it('is measured in bytes of UTF-8, not in characters', () => {
    const euros = '€'.repeat(Math.ceil(LIMITS.messageMaxBytes / 3));
    expect(euros.length).toBeLessThan(LIMITS.messageMaxBytes);
    expect(utf8Bytes(euros)).toBeGreaterThan(LIMITS.messageMaxBytes);
    expect(codeOf(JSON.stringify({ action: 'heartbeat', pad: euros }))).toBe('PAYLOAD_TOO_LARGE');
  });
});

describe('a text that is no request', () => {
  it.each<[string, string]>([
    ['nothing', ''],
    ['white space', ' \n'],
    ['plain text', 'hello'],
    ['an object cut off', '{"action":"heartbeat"'],
    ['a raw newline in a string', '{"action":"heart\nbeat"}'],
    ['a trailing comma', '{"action":"heartbeat",}'],
    ['two objects', '{"action":"heartbeat"}{"action":"heartbeat"}'],
    ['a byte order mark', '\ufeff{"action":"heartbeat"}'],
    ['UTF-16 read as UTF-8', Array.from('{"action":"heartbeat"}').join('\0')],
    ['NaN', '{"action":"heartbeat","body":{"a":NaN}}'],
  ])('because it is %s gets INVALID_JSON', (_, text) => {
    expect(codeOf(text)).toBe('INVALID_JSON');
  });

  it.each(['null', 'true', '1', '"x"', '[]', '[{"action":"heartbeat"}]'])(
    'because it is %s gets INVALID_FRAME',
    (text) => {
      expect(codeOf(text)).toBe('INVALID_FRAME');
    },
  );

  it.each<[string, string]>([
    ['no action', '{"id":"1","body":{}}'],
    ['a number for an action', '{"action":1}'],
    ['null for an action', '{"action":null}'],
    ['an object for an action', '{"action":{}}'],
    ['a list for an action', '{"action":["heartbeat"]}'],
    ['two actions', '{"action":"heartbeat","action":"session.end"}'],
    ['two actions, one of them escaped', '{"action":"heartbeat","\\u0061ction":"session.end"}'],
    ['a list for a body', '{"action":"heartbeat","body":[]}'],
    ['null for a body', '{"action":"heartbeat","body":null}'],
    ['a text for a body', '{"action":"heartbeat","body":"{}"}'],
    ['a number for an id', '{"action":"heartbeat","id":1}'],
    ['null for an id', '{"action":"heartbeat","id":null}'],
    ['an empty id', '{"action":"heartbeat","id":""}'],
    ['an id that is too long', JSON.stringify({ action: 'heartbeat', id: 'i'.repeat(LIMITS.requestIdMaxChars + 1) })],
    ['an id that is no Unicode', '{"action":"heartbeat","id":"\\ud800"}'],
    ['a key that is too long', JSON.stringify({ action: 'heartbeat', ['k'.repeat(102_400)]: 1 })],
    ['nesting of 17', `{"action":"heartbeat","body":{"a":${'['.repeat(15)}${']'.repeat(15)}}}`],
    ['60,000 nested arrays', '['.repeat(60_000) + ']'.repeat(60_000)],
  ])('because it has %s gets INVALID_FRAME', (_, text) => {
    expect(codeOf(text)).toBe('INVALID_FRAME');
  });

  it('passes with nesting of 16', () => {
    expect(parseFrame(`{"action":"heartbeat","body":{"a":${'['.repeat(14)}${']'.repeat(14)}}}`).action).toBe(
      'heartbeat',
    );
  });

  it.each([
    'nope',
    '$connect',
    '$disconnect',
    '$default',
    'HEARTBEAT',
    'heartbeat ',
    '',
    'auth.refresh',
    'toString',
    '__proto__',
    'constructor',
  ])('because its action is %j gets UNKNOWN_ACTION', (action) => {
    expect(codeOf(JSON.stringify({ action }))).toBe('UNKNOWN_ACTION');
  });
});

describe('the checks of a frame', () => {
  const tooLarge = 'x'.repeat(LIMITS.messageMaxBytes + 1);
  it.each<[ErrorCode, string, string]>([
    ['PAYLOAD_TOO_LARGE', 'the size before JSON', tooLarge],
    ['INVALID_JSON', 'JSON before the shape', '{"action":1,"action":2'],
    ['INVALID_FRAME', 'the shape before the action', '{"action":"nope","body":[]}'],
    ['INVALID_FRAME', 'the keys before the action', '{"action":"nope","a":1,"a":2}'],
    ['UNKNOWN_ACTION', 'the action before the body', '{"action":"nope","body":{"conversationId":7}}'],
  ])('answer %s: %s', (code, _, text) => {
    expect(codeOf(text)).toBe(code);
  });

  it('leave the body to a later check', () => {
    expect(parseFrame('{"action":"message.send","body":{"conversationId":7}}').body).toEqual({ conversationId: 7 });
  });
});

describe('a refusal', () => {
  it.each<[string, string, string | null]>([
    ['the id of an unknown action', '{"action":"nope","id":"17"}', '17'],
    ['the id of a frame without an action', '{"id":"17"}', '17'],
    ['the id of a frame with a key twice', '{"id":"17","a":1,"a":2}', '17'],
    ['no id where it is no string', '{"action":"nope","id":17}', null],
    ['no id where it is too long', JSON.stringify({ action: 'nope', id: 'i'.repeat(65) }), null],
    ['no id where nothing could be read', '{', null],
    ['no id where there is none', '{"action":"nope"}', null],
  ])('carries %s', (_, text, id) => {
    expect(refusal(text).id).toBe(id);
  });

  it.each([
    SECRET,
    `{"action":"${SECRET}"}`,
    `{"action":["${SECRET}"]}`,
    `{"action":"heartbeat","id":"${SECRET.repeat(10)}"}`,
    `{"action":"heartbeat","id":["${SECRET}"]}`,
    `{"action":"heartbeat","body":"${SECRET}"}`,
    `{"${SECRET}":1,"${SECRET}":2}`,
    `{"${SECRET.repeat(10)}":1}`,
    `"${SECRET}"`,
    SECRET.repeat(10_000),
  ])('never repeats what was sent (%#)', (text) => {
    const { code, message, remediation, temporary, retryAfterMs } = refusal(text).toBody();
    expect(`${code}${message}${remediation}`).not.toContain('hunter2');
    expect({ temporary, retryAfterMs }).toEqual({ temporary: false, retryAfterMs: 0 });
    expect(message).not.toBe('');
    expect(remediation).not.toBe('');
  });

  it('has the wire form of every error', () => {
    const error = refusal('{"action":"nope","id":"1"}');
    expect(error).toBeInstanceOf(ProtocolError);
    expect(Object.keys(error.toBody()).sort()).toEqual(['code', 'message', 'remediation', 'retryAfterMs', 'temporary']);
  });
});
